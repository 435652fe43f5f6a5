// `tidegate slots`: who holds slots and who waits for one, once or again and again.
#include <fmt/chrono.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/slots_json.h"
#include "cli/commands.h"
#include "cli/slot_settings.h"
#include "config/values.h"
#include "slots/process.h"
#include "slots/text.h"

namespace tidegate::cli {
namespace {

using slots::PoolView;

std::string time_of_day(TimePoint then, TimePoint now) {
    const auto wall =
        std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(now - then);
    return fmt::format("{:%H:%M:%S}", fmt::localtime(std::chrono::system_clock::to_time_t(wall)));
}

void print_pool(const PoolView& view, TimePoint now) {
    const slots::Ledger& ledger = view.ledger;
    const slots::Totals& totals = ledger.totals();
    const std::string last = totals.last_update == TimePoint{}
                                 ? "never used"
                                 : fmt::format("last update {} ({} ago)", time_of_day(totals.last_update, now),
                                               slots::text_of(now - totals.last_update));
    fmt::print("{}: {}, {}{}\n", view.name, slots::figures(ledger), last, view.gate ? ", by the gate" : "");
    if (totals.granted > 0) {
        fmt::print(
            "  {} taken, {} of them after a wait (p50 {:.3f} s, p99 {:.3f} s); {} timed out, {} left, {} came "
            "back from the dead\n",
            totals.granted, totals.waited, seconds(totals.waits.percentile(50)), seconds(totals.waits.percentile(99)),
            totals.timed_out, totals.left, totals.recovered);
    }
    if (ledger.active() > 0)
        fmt::print("  {:>5} {:>8} {:<12} {:>9} {:>9}  {}\n", "SLOT", "PID", "ACCOUNT", "AGE", "WAITED", "COMMAND");
    for (slots::SlotNumber slot = 0; slot < ledger.holders().size(); ++slot) {
        const auto* holder = ledger.holder(slot);
        if (holder == nullptr) continue;
        fmt::print("  {:>5} {:>8} {:<12} {:>9} {:>9}  {}\n", slot, holder->who.pid,
                   slots::account_name(holder->who.uid), slots::text_of(now - holder->since),
                   slots::text_of(holder->waited), holder->who.command());
    }
    for (const auto& waiter : ledger.line()) {
        fmt::print("  {:>5} {:>8} {:<12} {:>9} {:>9}  {}\n", "waits", waiter.who.pid,
                   slots::account_name(waiter.who.uid), "", slots::text_of(now - waiter.since), waiter.who.command());
    }
}

Result<std::vector<PoolView>> look(const slots::Door& door, const std::string& name) {
    if (name.empty()) return door.look_at_all();
    auto view = door.look(name);
    if (!view) return std::unexpected(view.error());
    std::vector<PoolView> views;
    views.push_back(std::move(*view));
    return views;
}

int show(const slots::Door& door, const SlotsOptions& options) {
    const auto views = look(door, options.name);
    if (!views) {
        fmt::print(stderr, "tidegate: {}\n", views.error().message);
        return kCritical;
    }
    const TimePoint now = Clock::now();
    bool anybody_waits = false;
    for (const auto& view : *views) anybody_waits = anybody_waits || view.ledger.waiting() > 0;
    if (options.json) {
        const auto json = api::slots_json(*views, now, std::chrono::system_clock::now());
        fmt::print("{}\n", json.dump(options.every.empty() ? 2 : -1, ' ', false,
                                     nlohmann::ordered_json::error_handler_t::replace));
    } else {
        if (views->empty()) fmt::print("no slots were ever taken in {}\n", door.place().folder);
        for (const auto& view : *views) print_pool(view, now);
    }
    std::fflush(stdout);
    return anybody_waits ? kAttention : kWell;
}

}  // namespace

int slots(const SlotsOptions& options) {
    std::optional<Duration> every;
    if (!options.every.empty()) {
        every = config::parse_duration(options.every);
        if (!every || *every < 100ms) {
            fmt::print(stderr, "tidegate: --every must be a time of at least 100ms, such as 1s\n");
            return kUsage;
        }
    }
    if (!options.name.empty() && !tidegate::slots::is_pool_name(options.name)) {
        fmt::print(stderr, "tidegate: \"{}\" is not the name of a pool\n", options.name);
        return kUsage;
    }
    const auto settings = slot_settings(options.config_file);
    if (!settings) return settings.error();
    const auto door = open_door(*settings);
    if (!door) return door.error();
    const bool clear = every && !options.json && isatty(STDOUT_FILENO) == 1;
    while (true) {
        if (clear) fmt::print("\x1b[H\x1b[2J");
        const int code = show(*door, options);
        if (!every || code == kCritical) return code;
        std::this_thread::sleep_for(*every);
    }
}

}  // namespace tidegate::cli
