#include "slots/line_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "config/values.h"
#include "slots/claim.h"
#include "slots/place.h"

namespace tidegate::slots {
namespace {

constexpr Duration kLongestWait = 24h;

std::string in_seconds(Duration duration) {
    return fmt::format("{:.3f}s", seconds(duration));
}

// The next word; the rest begins behind it.
std::string_view word_of(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<Duration> wait_of(std::string_view text) {
    const auto wait = config::parse_duration(text);
    if (!wait || *wait < Duration::zero() || *wait > kLongestWait) return std::nullopt;
    return wait;
}

std::unexpected<Error> wrong(std::string_view what) {
    return fail(fmt::format("usage {}", what));
}

// One `key=value` of an ACQUIRE; an error says which is wrong.
Result<void> set_word(Line& line, std::string_view key, std::string_view value) {
    if (key == "wait") {
        line.wait = wait_of(value);
        if (!line.wait) return wrong("wait must be a time such as 30s, of a day at most");
    } else if (key == "priority") {
        const auto priority = number_of<int>(value);
        if (!priority || *priority < kLeastPriority || *priority > kMostPriority) {
            return wrong("priority must be a number between -1000 and 1000");
        }
        line.priority = *priority;
    } else if (key == "waited") {
        const auto waited = wait_of(value);
        if (!waited) return wrong("waited must be a time such as 2s");
        line.waited = *waited;
    } else if (key == "lock") {
        line.lock = value == "1";
    } else if (key == "slots") {
        line.slots = number_of<unsigned>(value);
        if (!line.slots || *line.slots == 0) return wrong("slots must be a number of at least 1");
    } else if (key == "resume") {
        line.resume = number_of<SlotNumber>(value);
        if (!line.resume) return wrong("resume must be the number of a slot");
    } else {
        return wrong("ACQUIRE has wait, priority, slots, waited, lock, resume and command");
    }
    return {};
}

std::optional<Verb> verb_of(std::string_view word) {
    if (word == "ACQUIRE") return Verb::acquire;
    if (word == "RELEASE") return Verb::release;
    if (word == "STATS") return Verb::stats;
    if (word == "LIST") return Verb::list;
    return std::nullopt;
}

std::string holder_words(const Process& who) {
    return fmt::format("pid={} uid={} started={}", who.pid, who.uid, who.started);
}

// The values of a line of a list; what stands behind `command=` goes to the end.
std::map<std::string_view, std::string_view> values_of(std::string_view rest) {
    std::map<std::string_view, std::string_view> values;
    while (true) {
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        if (rest.empty()) return values;
        if (rest.starts_with("command=")) {
            values["command"] = rest.substr(8);
            return values;
        }
        const auto word = word_of(rest);
        const auto equals = word.find('=');
        if (equals != std::string_view::npos) values[word.substr(0, equals)] = word.substr(equals + 1);
    }
}

class Values {
public:
    explicit Values(std::string_view rest) : values_(values_of(rest)) {}
    template <class Number>
    [[nodiscard]] Number number(std::string_view key) const {
        return number_of<Number>(text(key)).value_or(Number{});
    }
    [[nodiscard]] Duration time(std::string_view key) const {
        return config::parse_duration(text(key)).value_or(Duration::zero());
    }
    [[nodiscard]] std::string_view text(std::string_view key) const {
        const auto found = values_.find(key);
        return found == values_.end() ? std::string_view() : found->second;
    }
    [[nodiscard]] Process process() const {
        Process who;
        who.pid = number<std::int32_t>("pid");
        who.uid = number<std::uint32_t>("uid");
        who.started = number<std::uint64_t>("started");
        who.set_command(text("command"));
        return who;
    }

private:
    std::map<std::string_view, std::string_view> values_;
};

// A pool of a list while it is read.
struct Draft {
    std::string name;
    unsigned size = 1;
    std::vector<Holder> holders;
    std::deque<Waiter> line;
    Totals totals;
};

Draft draft_of(const Values& values, TimePoint now) {
    Draft draft;
    draft.name = values.text("name");
    draft.size = values.number<unsigned>("max");
    draft.totals.granted = values.number<std::uint64_t>("granted");
    draft.totals.waited = values.number<std::uint64_t>("waited");
    draft.totals.timed_out = values.number<std::uint64_t>("timed_out");
    draft.totals.left = values.number<std::uint64_t>("left");
    draft.totals.recovered = values.number<std::uint64_t>("recovered");
    draft.totals.peak = values.number<std::uint32_t>("peak");
    draft.totals.most_waiting = values.number<std::uint32_t>("peak_waiting");
    draft.totals.last_update = now - values.time("last_update");
    return draft;
}

bool add_holder(Draft& draft, const Values& values, TimePoint now) {
    const auto slot = number_of<SlotNumber>(values.text("slot"));
    if (!slot || *slot >= 65536) return false;
    if (draft.holders.size() <= *slot) draft.holders.resize(*slot + std::size_t{1});
    draft.holders[*slot] = {.by = HeldBy::lock,
                            .priority = values.number<int>("priority"),
                            .since = now - values.time("age"),
                            .waited = values.time("waited"),
                            .who = values.process()};
    return true;
}

}  // namespace

Result<Line> parse_line(std::string_view text) {
    if (text.size() > kLongestLine) return wrong("a line may have 1024 bytes");
    std::string_view rest = text;
    const auto verb = verb_of(word_of(rest));
    if (!verb) return wrong("there are ACQUIRE, RELEASE, STATS and LIST");
    Line line;
    line.verb = *verb;
    while (true) {
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        if (rest.empty()) break;
        if (rest.starts_with("command=")) {
            line.command = rest.substr(8);
            break;
        }
        const auto word = word_of(rest);
        const auto equals = word.find('=');
        if (equals == std::string_view::npos) {
            if (!line.pool.empty() || !is_pool_name(word)) {
                return wrong("a pool's name is 1 to 64 letters, digits and . _ -");
            }
            line.pool = word;
        } else if (auto set = set_word(line, word.substr(0, equals), word.substr(equals + 1)); !set) {
            return std::unexpected(set.error());
        }
    }
    if (line.pool.empty()) line.pool = kDefaultPool;
    return line;
}

std::string acquire_line(const Line& line) {
    std::string text = fmt::format("ACQUIRE {} priority={}", line.pool, line.priority);
    if (line.wait) text += fmt::format(" wait={}", in_seconds(*line.wait));
    if (line.waited > Duration::zero()) text += fmt::format(" waited={}", in_seconds(line.waited));
    if (line.lock) text += " lock=1";
    if (line.resume) text += fmt::format(" resume={}", *line.resume);
    if (line.slots) text += fmt::format(" slots={}", *line.slots);
    if (!line.command.empty()) text += fmt::format(" command={}", line.command);
    return text + "\n";
}

std::string ok_line(SlotNumber slot, Duration waited) {
    return fmt::format("OK slot={} waited={}\n", slot, in_seconds(waited));
}

std::string timeout_line(Duration waited, const Ledger& ledger) {
    return fmt::format("ERR timeout waited={:.1f}s active={} waiting={}\n", seconds(waited), ledger.active(),
                       ledger.waiting());
}

std::string error_line(std::string_view kind, std::string_view sentence) {
    return fmt::format("ERR {} {}\n", kind, sentence);
}

std::string stats_line(std::string_view name, const Ledger& ledger, TimePoint now) {
    const Totals& totals = ledger.totals();
    return fmt::format(
        "OK name={} active={} waiting={} peak={} max={} room={} peak_waiting={} granted={} waited={} timed_out={} "
        "left={} "
        "recovered={} last_update={} p50={} p99={}\n",
        name, ledger.active(), ledger.waiting(), totals.peak, ledger.size(), ledger.room(), totals.most_waiting,
        totals.granted, totals.waited, totals.timed_out, totals.left, totals.recovered,
        in_seconds(totals.last_update == TimePoint{} ? Duration::zero() : now - totals.last_update),
        in_seconds(totals.waits.percentile(50)), in_seconds(totals.waits.percentile(99)));
}

std::string list_lines(std::string_view name, const Ledger& ledger, TimePoint now) {
    std::string text = "POOL" + stats_line(name, ledger, now).substr(2);
    for (SlotNumber slot = 0; slot < ledger.holders().size(); ++slot) {
        const Holder* holder = ledger.holder(slot);
        if (holder == nullptr) continue;
        text += fmt::format("HOLDER slot={} {} priority={} age={} waited={} command={}\n", slot,
                            holder_words(holder->who), holder->priority, in_seconds(now - holder->since),
                            in_seconds(holder->waited), holder->who.command());
    }
    for (const Waiter& waiter : ledger.line()) {
        text += fmt::format("WAITER {} priority={} waited={} left={} command={}\n", holder_words(waiter.who),
                            waiter.order.priority, in_seconds(now - waiter.since), in_seconds(waiter.deadline - now),
                            waiter.who.command());
    }
    return text;
}

std::optional<Reply> parse_reply(std::string_view text) {
    Reply reply{.text = std::string(text)};
    std::string_view rest = text;
    const auto first = word_of(rest);
    if (first != "OK" && first != "ERR") return std::nullopt;
    reply.ok = first == "OK";
    if (!reply.ok) reply.timed_out = word_of(rest) == "timeout";
    const Values values(rest);
    reply.slot = values.number<SlotNumber>("slot");
    reply.waited = values.time("waited");
    reply.active = values.number<unsigned>("active");
    reply.waiting = values.number<unsigned>("waiting");
    return reply;
}

std::optional<std::vector<Listed>> parse_list(std::string_view text, TimePoint now) {
    std::vector<Draft> drafts;
    bool ended = false;
    while (!ended) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        std::string_view rest = text.substr(0, end);
        text.remove_prefix(end + 1);
        const auto what = word_of(rest);
        const Values values(rest);
        if (what == "POOL") {
            drafts.push_back(draft_of(values, now));
        } else if (what == "HOLDER" && !drafts.empty()) {
            if (!add_holder(drafts.back(), values, now)) return std::nullopt;
        } else if (what == "WAITER" && !drafts.empty()) {
            auto& line = drafts.back().line;
            line.push_back({.order = {.priority = values.number<int>("priority"), .arrival = line.size() + 1},
                            .since = now - values.time("waited"),
                            .deadline = now + values.time("left"),
                            .who = values.process()});
        } else if (what == "END") {
            ended = true;
        } else {
            return std::nullopt;
        }
    }
    std::vector<Listed> pools;
    pools.reserve(drafts.size());
    for (Draft& draft : drafts) {
        pools.push_back({.name = std::move(draft.name),
                         .ledger = Ledger(draft.size, std::move(draft.holders), std::move(draft.line), draft.totals)});
    }
    return pools;
}

}  // namespace tidegate::slots
