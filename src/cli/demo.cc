// `tidegate demo`: a private MariaDB, a thousand clients straight at it, the same thousand through the gate, and the
// two side by side. All that it starts dies with it, and its folder goes with it, however it ends.
#include <fmt/core.h>
#include <mysql.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/demo/crowd.h"
#include "cli/demo/gate.h"
#include "cli/demo/interrupt.h"
#include "cli/demo/private_server.h"
#include "cli/demo/report.h"
#include "cli/demo/workplace.h"

namespace tidegate::cli {
namespace {

using namespace tidegate::demo;
using namespace std::chrono_literals;

constexpr int kSignalled = 128;  // plus the signal, as shells have it
constexpr auto kTick = 50ms;

class Demo {
public:
    Demo(const DemoOptions& options, const Workplace& workplace)
        : options_(options), workplace_(workplace), progress_(stderr) {}

    // Errors: what kept it from running to its end.
    Result<Comparison> run() {
        Comparison result;
        progress_.step("Starting a private MariaDB..");
        auto server = PrivateServer::start(workplace_, options_.server_program);
        if (!server) return std::unexpected(server.error());
        result.server_version = server->version();

        auto without = phase(*server, 1, server->port(), fmt::format("{} clients, no gate", options_.clients),
                             [&] { server->kill(); });
        if (!without) return std::unexpected(without.error());
        result.without = std::move(*without);

        progress_.step(fmt::format("Starting the gate with {} server connections..", options_.connections));
        auto gate = start_gate(workplace_, *server, options_.connections, options_.clients);
        if (!gate) return std::unexpected(gate.error());
        auto with = phase(
            *server, 2, gate->port, fmt::format("{} clients, through the gate", options_.clients),
            [&] {
                gate->child.kill();
                server->kill();
            },
            [&] { gate->child.stop(10s); });
        if (!with) return std::unexpected(with.error());
        result.with = std::move(*with);

        progress_.step("Stopping the server..");
        server->stop();
        progress_.clear();
        return result;
    }

private:
    // One crowd. `abort` makes all connections fail at once; `before_count` frees what would count among the peak.
    template <class Abort, class Before = void (*)()>
    Result<Outcome> phase(
        PrivateServer& server, int number, std::uint16_t port, const std::string& name, Abort abort,
        Before before_count = [] {}) {
        if (auto reset = server.reset_peak(); !reset) return std::unexpected(reset.error());
        progress_.step(name);
        Crowd crowd({port, "shop", server.password(), "shop", number});
        auto outcome = crowd.run(options_.clients, [&](const Progress& progress) {
            progress_.count(progress, options_.clients);
            tidegate::demo::pause(kTick);
            if (interrupted() != 0) abort();
        });
        if (!outcome || interrupted() != 0) return outcome;
        before_count();
        auto peak = server.peak();
        if (!peak) return std::unexpected(peak.error());
        outcome->peak = *peak;
        return outcome;
    }

    const DemoOptions& options_;
    const Workplace& workplace_;
    ProgressLine progress_;
};

int show(const DemoOptions& options, const Comparison& result) {
    if (options.json) {
        fmt::print("{}", json(options, result));
    } else {
        const bool colours = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
        fmt::print(
            "MariaDB {}, max_connections {}. Each client: connect, BEGIN, INSERT, SELECT, COMMIT, a query of 20 "
            "ms, quit.\n{}",
            result.server_version, kServerLimit, table(options, result, colours));
    }
    return promise_held(options, result.with) ? kWell : kCritical;
}

}  // namespace

int demo(const DemoOptions& options) {
    const InterruptFlag flag;
    mysql_library_init(0, nullptr, nullptr);
    auto workplace = Workplace::make();
    if (!workplace) {
        fmt::print(stderr, "tidegate: {}\n", workplace.error().message);
        return kCritical;
    }
    const auto result = Demo(options, *workplace).run();
    if (interrupted() != 0) {
        fmt::print(stderr, "tidegate: interrupted; everything is stopped and removed\n");
        return kSignalled + interrupted();
    }
    if (!result) {
        fmt::print(stderr, "tidegate: {}\n", result.error().message);
        return kServerUnreachable;
    }
    return show(options, *result);
}

}  // namespace tidegate::cli
