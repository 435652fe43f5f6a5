#include "api/fleets_json.h"

#include "api/stats_json.h"

namespace tidegate::api {
namespace {

using json = nlohmann::ordered_json;

json worker_of(const fleet::WorkerView& view, TimePoint now) {
    const fleet::Worker& worker = view.worker;
    const bool alive = worker.alive();
    json shown{{"id", worker.id},
               {"pid", view.pid != 0 ? json(view.pid) : json(nullptr)},
               {"state", text_of(worker.state)},
               {"restarts", worker.restarts},
               {"jobs", worker.jobs},
               {"age_seconds", alive ? json(seconds(now - worker.started_at)) : json(nullptr)},
               {"rss_bytes", worker.rss != 0 ? json(worker.rss) : json(nullptr)},
               {"status", worker.status},
               {"last_exit", nullptr}};
    if (worker.restarts > 0 || worker.over()) shown["last_exit"] = worker.last_exit.text();
    return shown;
}

json fleet_of(const fleet::FleetView& view) {
    const fleet::Figures& f = view.figures;
    json shown{{"name", view.name},
               {"state", text_of(view.state)},
               {"why", view.why.empty() ? json(nullptr) : json(view.why)},
               {"workers", f.workers},
               {"running", f.running},
               {"waiting", f.waiting},
               {"stopping", f.stopping},
               {"to_be_started_again", f.resting},
               {"done", f.done},
               {"failed", f.failed},
               {"jobs_done", f.jobs_done},
               {"jobs_failed", f.jobs_failed},
               {"restarts", f.restarts},
               {"recycled", f.recycled},
               {"crashes", f.crashes},
               {"killed", f.killed},
               {"logs", view.logs.empty() ? json(nullptr) : json(view.logs)},
               {"list", json::array()}};
    for (const auto& worker : view.workers) shown["list"].push_back(worker_of(worker, view.now));
    return shown;
}

}  // namespace

json worker_stats_json(std::span<const fleet::FleetView> fleets, const proxy::Snapshot& gate) {
    json list = json::array();
    for (const auto& view : fleets) list.push_back(fleet_of(view));
    return {{"fleets", std::move(list)},
            {"connection_pool",
             {{"active", gate.pool.active},
              {"idle", gate.pool.idle},
              {"waiting", gate.pool.waiting},
              {"max", gate.pool.max},
              {"peak", gate.pool.peak},
              {"last_update", moment(gate.last_update)}}}};
}

json logs_json(const fleet::LogPage& page, proxy::WallTime now) {
    json lines = json::array();
    for (const auto& line : page.lines) {
        const auto ago = std::chrono::duration_cast<std::chrono::system_clock::duration>(page.now - line.at);
        lines.push_back({{"number", line.number},
                         {"worker", line.worker},
                         {"stream", line.error ? "err" : "out"},
                         {"time", moment(now - ago)},
                         {"text", line.text}});
    }
    return {{"lines", std::move(lines)}, {"last", page.last}};
}

}  // namespace tidegate::api
