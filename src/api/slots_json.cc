#include "api/slots_json.h"

#include <nlohmann/json.hpp>

#include "api/stats_json.h"
#include "slots/process.h"

namespace tidegate::api {
namespace {

using json = nlohmann::ordered_json;
using WallTime = std::chrono::system_clock::time_point;

json holder_of(slots::SlotNumber slot, const slots::Holder& holder, TimePoint now) {
    return {{"slot", slot},
            {"pid", holder.who.pid},
            {"command", holder.who.command()},
            {"account", slots::account_name(holder.who.uid)},
            {"age_seconds", seconds(now - holder.since)},
            {"waited_seconds", seconds(holder.waited)},
            {"priority", holder.priority}};
}

json waiter_of(const slots::Waiter& waiter, TimePoint now) {
    return {{"pid", waiter.who.pid},
            {"command", waiter.who.command()},
            {"account", slots::account_name(waiter.who.uid)},
            {"waited_seconds", seconds(now - waiter.since)},
            {"left_seconds", seconds(waiter.deadline - now)},
            {"priority", waiter.order.priority}};
}

json pool_of(const slots::PoolView& view, TimePoint now, WallTime wall) {
    const slots::Ledger& ledger = view.ledger;
    const slots::Totals& totals = ledger.totals();
    json pool{{"name", view.name},
              {"by", view.gate ? "gate" : "file"},
              {"max", ledger.size()},
              {"active", ledger.active()},
              {"waiting", ledger.waiting()},
              {"room", ledger.room()},
              {"peak", totals.peak},
              {"peak_waiting", totals.most_waiting},
              {"last_update", nullptr},
              {"granted", totals.granted},
              {"waited", totals.waited},
              {"timed_out", totals.timed_out},
              {"left", totals.left},
              {"recovered", totals.recovered},
              {"wait_seconds",
               {{"p50", seconds(totals.waits.percentile(50))},
                {"p90", seconds(totals.waits.percentile(90))},
                {"p99", seconds(totals.waits.percentile(99))},
                {"max", seconds(totals.waits.max())}}},
              {"holders", json::array()},
              {"line", json::array()}};
    if (totals.last_update != TimePoint{}) {
        pool["last_update"] =
            moment(wall - std::chrono::duration_cast<std::chrono::system_clock::duration>(now - totals.last_update));
    }
    for (slots::SlotNumber slot = 0; slot < ledger.holders().size(); ++slot) {
        if (const auto* holder = ledger.holder(slot)) pool["holders"].push_back(holder_of(slot, *holder, now));
    }
    for (const auto& waiter : ledger.line()) pool["line"].push_back(waiter_of(waiter, now));
    return pool;
}

}  // namespace

json slots_json(std::span<const slots::PoolView> pools, TimePoint now, WallTime wall) {
    json list = json::array();
    for (const auto& view : pools) list.push_back(pool_of(view, now, wall));
    return {{"pools", std::move(list)}};
}

}  // namespace tidegate::api
