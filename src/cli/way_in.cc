#include "cli/way_in.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/commands.h"
#include "cli/inputs.h"
#include "config/values.h"
#include "watch/emergency.h"
#include "watch/php_fpm.h"

namespace tidegate::cli {
namespace {

watch::WallTime now() {
    return std::chrono::system_clock::now();
}

}  // namespace

std::expected<WayIn, int> WayIn::prepare(const ServerFlags& flags) {
    auto inputs = collect_inputs(flags.config_file, {.server = flags.server});
    inputs.server_may_be_missing = true;
    auto loaded = config::load(inputs);
    if (!loaded) {
        for (const auto& problem : loaded.error()) fmt::print(stderr, "tidegate: {}\n", problem.text());
        return std::unexpected(kUsage);
    }
    WayIn way(std::move(*loaded));
    if (!flags.admin.empty()) {
        auto admin = config::parse_endpoint(flags.admin);
        if (!admin) {
            fmt::print(stderr, "tidegate: --admin {}\n", admin.error().message);
            return std::unexpected(kUsage);
        }
        way.admin_ = std::move(*admin);
    }
    return way;
}

const LocalGate* WayIn::gate() {
    if (!std::exchange(looked_for_gate_, true)) {
        const char* named = std::getenv("TIDEGATE_SLOTS");
        gate_ = LocalGate::find(named != nullptr && *named != '\0' ? named : config().slots.path);
        // A configuration that names no server means whatever the gate of this host stands before.
        if (gate_ && gate_->server() != server().text() && loaded_.server_from != "the default") gate_.reset();
    }
    return gate_ ? &*gate_ : nullptr;
}

void WayIn::enter() {
    entry_ = watch::enter({.server = &server(), .admin = admin_, .gate = [this]() -> std::unique_ptr<watch::Session> {
                               const auto* local = gate();
                               return local != nullptr ? local->session() : nullptr;
                           }});
}

std::expected<void, int> WayIn::open() {
    enter();
    if (entry_.session != nullptr) return {};
    return std::unexpected(say_shut_out());
}

Result<void> WayIn::open_again() {
    enter();
    if (entry_.session != nullptr) return {};
    return std::unexpected(entry_.failed.front().error);
}

int WayIn::say_shut_out() const {
    const auto refusal = entry_.refusal();
    if (!refusal || !watch::is_full(*refusal)) {
        for (const auto& attempt : entry_.failed)
            fmt::print(stderr, "tidegate: {}: {} ({})\n", attempt.way, attempt.error.message, attempt.error.code);
        return kServerUnreachable;
    }
    auto local = watch::look_locally(address());
    fmt::print(stderr, "{}",
               watch::emergency_text({.server = address(),
                                      .user = server().user,
                                      .flags = fmt::format("--server mysql://{}", server().text()),
                                      .failed = entry_.failed,
                                      .local = local ? std::optional(std::move(*local)) : std::nullopt,
                                      .root = ::geteuid() == 0,
                                      .php_fpm = watch::php_fpm_services()}));
    return kCritical;
}

Result<watch::Snapshot> WayIn::look() {
    auto snapshot = watch::look(session(), now());
    if (snapshot) name_all(*snapshot);
    return snapshot;
}

Result<watch::Snapshot> WayIn::look_again(const watch::Snapshot& last) {
    auto snapshot = watch::look_again(session(), last, now());
    if (snapshot) name_all(*snapshot);
    return snapshot;
}

void WayIn::name_all(watch::Snapshot& snapshot) {
    if (const auto local = watch::look_locally(address())) watch::name_programs(snapshot.connections, *local);
    const auto* local = gate();
    watch::mark_gates(snapshot.connections,
                      local != nullptr ? local->server_connections() : std::vector<std::uint32_t>{});
}

}  // namespace tidegate::cli
