// `tidegate validate`: does this deployment work, and does it keep its promises? Each step uses the real thing: the
// server, the gate of this host where one runs, `tidegate exec` as a process of its own.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <thread>

#include "cli/child.h"
#include "cli/commands.h"
#include "cli/full_server.h"
#include "cli/slot_settings.h"
#include "cli/validate_options.h"
#include "cli/way_in.h"
#include "watch/usage.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* kPool = "validate";
constexpr const char* kSingle = "single.validate";  // as exec names the pool of --single --name validate
constexpr int kRounds = 100;
constexpr Duration kPatience = 20s;

// What a step found: good with what it saw, or what is wrong with what to do.
using Found = Result<std::string>;

class Validation {
public:
    explicit Validation(const ValidateOptions& options) : options_(options) {}

    int run() {
        // Each step needs those before it, but for the last five, which stand by themselves.
        const bool connected = step("configuration", [this] { return configuration(); }) &&
                               step("server and account", [this] { return server(); }) &&
                               step("limits", [this] { return limits(); });
        if (connected) {
            step("a connection and a slot", [this] { return connection_and_slot(); });
            step("nothing left behind", [this] { return nothing_left(); });
        }
        if (options_.full && connected) {
            step("level over 100 rounds", [this] { return level(); });
            step("a killed holder's slot comes back", [this] { return killed_holder(); });
            step("a wait ends in time", [this] { return wait_ends(); });
            step("a full server is handled", full_server);
            step("a second instance is kept out", [this] { return second_instance(); });
        }
        tidy_up();
        return finish();
    }

private:
    bool step(const char* name, const std::function<Found()>& check) {
        const Found found = check();
        ++steps_;
        if (!found) ++failures_;
        if (options_.json) {
            list_.push_back(
                {{"step", name}, {"ok", found.has_value()}, {"says", found ? *found : found.error().message}});
        } else {
            const bool terminal = isatty(STDOUT_FILENO) == 1;
            const char* mark =
                found ? (terminal ? "\x1b[32m✓\x1b[0m" : "ok  ") : (terminal ? "\x1b[31m✗\x1b[0m" : "FAIL");
            fmt::print("{} {:>2}. {}: {}\n", mark, steps_, name, found ? *found : found.error().message);
            std::fflush(stdout);
        }
        return found.has_value();
    }

    int finish() const {
        if (options_.json)
            fmt::print("{}\n", json{{"ok", failures_ == 0}, {"steps", list_}}.dump(2, ' ', false,
                                                                                   json::error_handler_t::replace));
        else
            fmt::print("{}\n", failures_ == 0 ? fmt::format("all {} steps are well", steps_)
                                              : fmt::format("{} of {} steps failed", failures_, steps_));
        return failures_ == 0 ? kWell : kCritical;
    }

    // --- the five

    Found configuration() {
        auto way = WayIn::prepare(options_.server);  // says what is wrong, with file and line
        if (!way) return fail("is not good, see above");
        way_.emplace(std::move(*way));
        const auto& file = way_->config().file;
        return fmt::format("{}; the server is {} (from {})", file.empty() ? "no file, the defaults" : file + " is good",
                           way_->server().text(), way_->server_from());
    }

    Found server() {
        if (!way_->open()) return fail("nothing got in, see above; tidegate status says more");
        auto snapshot = way_->look();
        if (!snapshot) return std::unexpected(snapshot.error());
        before_.emplace(std::move(*snapshot));
        return fmt::format("{} {} answers, seen {}", before_->flavour == watch::Flavour::mariadb ? "MariaDB" : "MySQL",
                           before_->version, before_->way);
    }

    Found limits() {
        const auto all = watch::usages(*before_);
        if (all.front().limit == 0) return fail("the server does not say its max_connections");
        const auto& tight = watch::tightest(all);
        if (tight.level() == watch::Level::critical)
            return fail(fmt::format("the {} is at {} of its {}: tidegate status says who holds them", tight.of,
                                    tight.text(), tight.limit_name));
        return fmt::format("{} of {}, the nearest is the {}", tight.text(), tight.limit_name, tight.of);
    }

    // Through the gate where one runs on this host, else straight.
    [[nodiscard]] config::Server target() {
        config::Server server;
        const auto& configured = way_->server();
        server.host = configured.host;
        server.port = configured.port;
        server.socket = configured.socket;
        server.tls = configured.tls;
        server.ca = configured.ca;
        server.user = configured.user;
        server.password = configured.password.clone();
        server.connect_timeout = configured.connect_timeout;
        const auto& listen = way_->config().listen;
        through_gate_ = way_->gate() != nullptr && (listen.address || !listen.unix_path.empty());
        if (!through_gate_) return server;
        server.socket = listen.address ? "" : listen.unix_path;
        if (listen.address) {
            server.host = listen.address->host;
            server.port = listen.address->port;
        }
        server.tls = config::TlsMode::preferred;
        server.ca.clear();
        return server;
    }

    Result<void> one_connection(const config::Server& server) {
        auto session = watch::connect(server);
        if (!session) return std::unexpected(session.error());
        const auto answer = (*session)->ask("SELECT 1");
        if (!answer) return std::unexpected(answer.error());
        return {};
    }

    Found connection_and_slot() {
        const auto server = target();
        const auto where = through_gate_ ? fmt::format("through the gate at {}", server.text())
                                         : fmt::format("straight to {}", server.text());
        if (const auto done = one_connection(server); !done)
            return fail(fmt::format("no connection {}: {} ({})", where, done.error().message, done.error().code));
        const auto slot = slot_settings(options_.server.config_file);
        const auto door = slot ? open_door(*slot) : std::expected<slots::Door, int>(std::unexpected(slot.error()));
        if (!door) return fail("the slots' place is not good, see above");
        door_.emplace(*door);
        const int code = exec({"--name", kPool, "--slots", "1", "--wait", "5s", "--", "true"}).wait(kPatience);
        if (code != 0)
            return fail(fmt::format(
                "a slot could not be taken in {}: tidegate exec ended with {}; try tidegate exec -v -- true",
                door_->place().folder, code));
        const auto view = door_->look(kPool);
        return fmt::format("SELECT 1 {}; a slot taken and given back, {}", where,
                           view && view->gate ? "by the gate" : "in " + door_->place().folder);
    }

    [[nodiscard]] Found nothing_left() {
        if (door_) {
            const auto view = door_->look(kPool);
            if (!view) return std::unexpected(view.error());
            if (view->ledger.active() != 0)
                return fail("the slot was not given back: tidegate slots shows who holds it");
        }
        const auto now = count_settled(before_->held());
        if (!now) return std::unexpected(now.error());
        return fmt::format("{} connections at the server, {} before; no slot is held", *now, before_->held());
    }

    // --- the five more

    // Connections at the server once there are no more than `expected` of them, or after a while. Others come and go
    // meanwhile.
    Result<std::size_t> count_settled(std::size_t expected) {
        std::size_t held = 0;
        for (int look = 0; look < 20; ++look) {
            const auto now = way_->look_again(*before_);
            if (!now) return std::unexpected(now.error());
            held = now->held();
            if (held <= expected) break;
            std::this_thread::sleep_for(50ms);
        }
        return held;
    }

    Found level() {
        const auto first = count_settled(before_->held());
        if (!first) return std::unexpected(first.error());
        const auto server = target();
        for (int round = 0; round < kRounds; ++round) {
            if (const auto done = one_connection(server); !done)
                return fail(fmt::format("round {} of {}: {} ({})", round + 1, kRounds, done.error().message,
                                        done.error().code));
        }
        const auto last = count_settled(*first + 1);  // a gate may keep one for the next
        if (!last) return std::unexpected(last.error());
        if (*last > *first + kRounds / 10)
            return fail(fmt::format("{} connections before, {} after {} rounds: something does not give them back",
                                    *first, *last, kRounds));
        return fmt::format("{} connections before, {} after", *first, *last);
    }

    [[nodiscard]] Found killed_holder() {
        if (!door_) return fail("there are no slots, see above");
        auto child = exec({"--name", kPool, "--slots", "1", "--", "sleep", "60"});
        if (!becomes_active(1)) return fail("the holder did not get its slot in time");
        child.kill_all();
        if (!becomes_active(0)) return fail("the slot is still held: tidegate slots shows by whom");
        return "a holder was killed (-9), and its slot is free again";
    }

    [[nodiscard]] Found wait_ends() {
        if (!door_) return fail("there are no slots, see above");
        const auto holder = exec({"--name", kPool, "--slots", "1", "--", "sleep", "60"});
        if (!becomes_active(1)) return fail("the holder did not get its slot in time");
        const auto began = Clock::now();
        const int code = exec({"--name", kPool, "--slots", "1", "--wait", "1s", "--", "true"}).wait(kPatience);
        if (code != kNoSlotInTime)
            return fail(
                fmt::format("a wait of 1 s ended with {} and not with {}", code, static_cast<int>(kNoSlotInTime)));
        return fmt::format("a wait of 1 s ended after {:.1f} s, with exit code {}", seconds(Clock::now() - began),
                           code);
    }

    static Found full_server() {
        const auto full = FullServer::start();
        if (!full) return fail(fmt::format("no port of 127.0.0.1 can be had: {}", full.error().message));
        const auto url = fmt::format("mysql://nobody@127.0.0.1:{}", (*full)->port());
        const int code = Child::start({"status", "--server", url, "--config", "/dev/null"}).wait(kPatience);
        if (code != kCritical || (*full)->refused() == 0)
            return fail(fmt::format("where a server says 1040, status ends with {} and not with 2", code));
        return "where a server refuses everybody (1040), status says so and ends with 2";
    }

    [[nodiscard]] Found second_instance() {
        if (!door_) return fail("there are no slots, see above");
        const auto first = exec({"--single", "--name", kPool, "--", "sleep", "60"});
        if (!becomes_active(1, kSingle)) return fail("the first instance did not start in time");
        // `false` would end with 1, if it ran.
        const int code = exec({"--single", "--name", kPool, "--", "false"}).wait(kPatience);
        if (code != 0) return fail(fmt::format("a second instance ended with {} and not with 0", code));
        return "the second of two with --single did nothing";
    }

    [[nodiscard]] bool becomes_active(unsigned expected, const char* pool = kPool) const {
        for (const auto until = Clock::now() + kPatience; Clock::now() < until;) {
            const auto view = door_->look(pool);
            if (view && view->ledger.active() == expected) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

    [[nodiscard]] Child exec(std::vector<std::string> arguments) const {
        std::vector<std::string> words{"exec"};
        if (!options_.server.config_file.empty()) words.insert(words.end(), {"-c", options_.server.config_file});
        words.insert(words.end(), arguments.begin(), arguments.end());
        return Child::start(words);
    }

    void tidy_up() const {
        if (!door_) return;
        for (const char* pool : {kPool, kSingle}) {
            const auto view = door_->look(pool);
            if (view && !view->gate && view->ledger.active() == 0 && view->ledger.waiting() == 0)
                ::unlink(door_->place().file(pool).c_str());
        }
    }

    const ValidateOptions& options_;
    std::optional<WayIn> way_;
    std::optional<watch::Snapshot> before_;
    std::optional<slots::Door> door_;
    bool through_gate_ = false;
    unsigned steps_ = 0;
    unsigned failures_ = 0;
    json list_ = json::array();
};

}  // namespace

int validate(const ValidateOptions& options) {
    return Validation(options).run();
}

}  // namespace tidegate::cli
