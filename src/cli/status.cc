// `tidegate status`: one look at the server's connections, or a line of figures again and again.
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <thread>

#include "cli/commands.h"
#include "cli/killing.h"
#include "cli/status_options.h"
#include "cli/status_text.h"
#include "cli/trend.h"
#include "config/values.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;

struct Times {
    Duration max_idle{};
    Duration long_statement{};
    std::optional<Duration> every;
    std::optional<Duration> during;
};

std::expected<Times, int> times_of(const StatusOptions& options) {
    const auto read = [](const char* flag, const std::string& text) -> std::expected<Duration, int> {
        if (const auto time = config::parse_duration(text)) return *time;
        fmt::print(stderr, "tidegate: {} must be a time such as 300, 300s or 5m, and not \"{}\"\n", flag, text);
        return std::unexpected(kUsage);
    };
    Times times;
    const auto idle = read("--max-idle", options.max_idle);
    if (!idle) return std::unexpected(idle.error());
    const auto statement = read("--long", options.long_statement);
    if (!statement) return std::unexpected(statement.error());
    times.max_idle = *idle;
    times.long_statement = *statement;
    if (!options.every.empty()) {
        const auto every = read("--every", options.every);
        if (!every) return std::unexpected(every.error());
        if (*every < 100ms) {
            fmt::print(stderr, "tidegate: --every must be a time of at least 100ms, such as 30s\n");
            return std::unexpected(kUsage);
        }
        times.every = *every;
    }
    if (!options.during.empty()) {
        const auto during = read("--for", options.during);
        if (!during) return std::unexpected(during.error());
        times.during = *during;
    }
    return times;
}

StatusView view_of(WayIn& way, const watch::Snapshot& snapshot, const Times& times) {
    StatusView view{.snapshot = snapshot,
                    .max_idle = times.max_idle,
                    .long_statement = times.long_statement,
                    .server = way.server().text()};
    for (const auto& attempt : way.failed())
        view.failed.push_back(fmt::format("{}: {} ({})", attempt.way, attempt.error.message, attempt.error.code));
    if (const auto* gate = way.gate()) {
        if (auto clients = gate->clients()) view.clients = std::move(*clients);
    }
    return view;
}

int fail_to_look(const Error& error) {
    fmt::print(stderr, "tidegate: {} ({})\n", error.message, error.code);
    return kServerUnreachable;
}

void print(const StatusOptions& options, const StatusView& view, const watch::Verdict& verdict) {
    if (options.json)
        fmt::print("{}\n", status_json(view, verdict)
                               .dump(options.every.empty() ? 2 : -1, ' ', false, json::error_handler_t::replace));
    else if (options.check)
        fmt::print("{}\n", check_line(view, verdict));
    else
        fmt::print("{}", status_text(view, verdict));
}

// The table that grows, and its last lines.
class Series {
public:
    Series(const StatusOptions& options, const Times& times) : options_(options), times_(times) {}

    void add(const StatusView& view, const watch::Verdict& verdict) {
        worst_ = std::max(worst_, verdict.level);
        const auto now = counts(view.snapshot, times_.max_idle);
        totals_.push_back(static_cast<double>(now.total));
        if (options_.json || options_.check) {
            print(options_, view, verdict);
        } else {
            if (totals_.size() == 1)
                fmt::print("{:<8} {:>6} {:>7} {:>9} {:>6} {:>8} {:>8}  {}\n", "TIME", "TOTAL", "ACTIVE", "SLEEPING",
                           "IDLE", "RUNNING", "REFUSED", "USAGE");
            const auto& s = view.snapshot;
            fmt::print("{:%H:%M:%S} {:>6} {:>7} {:>9} {:>6} {:>8} {:>8}  {}\n",
                       fmt::localtime(std::chrono::system_clock::to_time_t(s.taken)), now.total, now.active,
                       now.sleeping, now.idle, s.count("Threads_running").value_or(0),
                       s.count("Connection_errors_max_connections").value_or(0),
                       watch::tightest(watch::usages(s)).text());
        }
        std::fflush(stdout);
    }

    [[nodiscard]] int finish() const {
        if (!options_.json && !options_.check && totals_.size() > 1) {
            const char* language = std::getenv("LANG");
            const bool utf8 = language != nullptr && std::string_view(language).find("UTF-8") != std::string_view::npos;
            const auto trend = trend_of(totals_, seconds(*times_.every));
            fmt::print("\nconnections {}  {:.0f} to {:.0f}\n", sparkline(totals_, !utf8), totals_.front(),
                       totals_.back());
            if (trend.level)
                fmt::print("level: {:.0f} connections, no growth in {} looks\n", totals_.back(), totals_.size());
            else
                fmt::print("{}: by {:.1f} connections an hour\n", trend.per_hour > 0 ? "growing" : "falling",
                           std::abs(trend.per_hour));
        }
        return static_cast<int>(worst_);
    }

private:
    const StatusOptions& options_;
    const Times& times_;
    std::vector<double> totals_;
    watch::Level worst_ = watch::Level::well;
};

int watch_for_a_while(WayIn& way, watch::Snapshot snapshot, const StatusOptions& options, const Times& times) {
    Series series(options, times);
    const auto begin = Clock::now();
    for (auto next = begin;;) {
        series.add(view_of(way, snapshot, times), verdict(snapshot, times.max_idle, times.long_statement));
        next += *times.every;
        if (times.during && next > begin + *times.during) return series.finish();
        if (std::ferror(stdout) != 0) return kWell;  // whoever read it has gone
        std::this_thread::sleep_until(next);
        auto again = way.look_again(snapshot);
        if (!again) return fail_to_look(again.error());
        snapshot = std::move(*again);
    }
}

}  // namespace

int status(const StatusOptions& options) {
    const auto times = times_of(options);
    if (!times) return times.error();
    auto way = WayIn::prepare(options.server);
    if (!way) return way.error();
    if (const auto opened = way->open(); !opened) return opened.error();
    auto snapshot = way->look();
    if (!snapshot) return fail_to_look(snapshot.error());
    if (times->every) return watch_for_a_while(*way, std::move(*snapshot), options, *times);

    const auto said = verdict(*snapshot, times->max_idle, times->long_statement);
    if (!options.kill_idle || !options.json) print(options, view_of(*way, *snapshot, *times), said);
    if (!options.kill_idle) return static_cast<int>(said.level);
    fmt::print("{}", options.json ? "" : "\n");
    std::fflush(stdout);
    const int killed = end_connections(*way, *snapshot,
                                       {.filter = {.idle = times->max_idle},
                                        .dry_run = options.dry_run,
                                        .json = options.json,
                                        .audit_log = options.audit_log});
    return killed;
}

}  // namespace tidegate::cli
