#include "fleet/gate_fleets.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidegate::fleet {

Result<GateFleet*> GateFleets::find(std::string_view name) {
    std::string names;
    for (const auto& fleet : fleets_) {
        if (fleet->config().name == name && (!fleet->stopping() || draining_)) return fleet.get();
        if (!fleet->stopping()) names += (names.empty() ? "" : ", ") + fleet->config().name;
    }
    return fail(404, "HY000",
                names.empty() ? fmt::format("there is no fleet {}; this gate has none", name)
                              : fmt::format("there is no fleet {}; there are {}", name, names));
}

void GateFleets::add(const config::Fleet& config) {
    fleets_.push_back(std::make_unique<GateFleet>(around_, config));
}

void GateFleets::apply(const std::vector<config::Fleet>& wanted) {
    if (draining_) return;
    for (const auto& fleet : fleets_) {
        const auto still = std::ranges::find(wanted, fleet->config().name, &config::Fleet::name);
        // Another name on this host: the one who has it must let go of it first.
        if (still == wanted.end() || still->single != fleet->config().single) fleet->drain();
    }
    for (const auto& config : wanted) {
        const auto there = find(config.name);
        if (there)
            (*there)->change(config);
        else
            add(config);
    }
    start_those_that_may();
}

void GateFleets::start_those_that_may() {
    if (!started_ || draining_) return;
    std::erase_if(fleets_, [](const auto& fleet) { return fleet->over(); });
    for (auto& fleet : fleets_) {
        const bool alone = std::ranges::none_of(fleets_, [&](const auto& other) {
            return other->stopping() && other->config().name == fleet->config().name;
        });
        if (alone)
            fleet->start();
        else
            fleet->wait_for("the end of the fleet of this name that was there before");
    }
}

void GateFleets::seen(const Load& load, bool server_is_up) {
    around_.load = load;
    if (server_is_up && !started_) {
        started_ = true;
        start_those_that_may();
    }
    give_room(load);
}

// What one fleet leaves is the next one's.
void GateFleets::give_room(const Load& load) {
    unsigned alive = 0;
    unsigned wanted = 0;
    GateFleet* first = nullptr;
    for (auto& fleet : fleets_) {
        if (fleet->config().batch || fleet->workers() == nullptr) continue;
        alive += fleet->workers()->fleet().figures().alive();
        const unsigned wants = fleet->wants_room();
        if (wants > 0 && first == nullptr) first = fleet.get();
        wanted += wants;
    }
    unsigned room = room_.look(load, alive, wanted > 0, around_.loop.now(),
                               [&](const std::string& sentence) { first->say(Level::info, sentence); });
    for (auto& fleet : fleets_) {
        const unsigned share = std::min(room, fleet->wants_room());
        fleet->room(share);
        room -= share;
    }
}

void GateFleets::tick(TimePoint now) {
    for (auto& fleet : fleets_) fleet->tick(now);
    start_those_that_may();
}

void GateFleets::ended(const EndedChild& child) {
    for (auto& fleet : fleets_) {
        if (fleet->ended(child)) return;
    }
}

void GateFleets::drain() {
    draining_ = true;
    for (auto& fleet : fleets_) fleet->drain();
}

void GateFleets::cut_off() {
    for (auto& fleet : fleets_) fleet->cut_off();
}

std::vector<GateFleets::Unheard> GateFleets::waiting_unheard() {
    std::vector<Unheard> all;
    for (auto& fleet : fleets_) {
        if (fleet->workers() == nullptr) continue;
        for (const WorkerId id : fleet->workers()->waiting_unheard())
            all.push_back({fleet->config().name, id, fleet->workers()->pid(id)});
    }
    return all;
}

void GateFleets::idle(const Unheard& worker) {
    for (auto& fleet : fleets_) {
        const bool ours = fleet->config().name == worker.fleet && fleet->workers() != nullptr;
        if (ours && fleet->workers()->pid(worker.worker) == worker.pid) fleet->workers()->idle(worker.worker);
    }
}

bool GateFleets::over() const {
    return draining_ && std::ranges::all_of(fleets_, &GateFleet::over, &std::unique_ptr<GateFleet>::operator*);
}

std::vector<FleetView> GateFleets::views() {
    std::vector<FleetView> views;
    views.reserve(fleets_.size());
    for (auto& fleet : fleets_) views.push_back(fleet->view());
    return views;
}

}  // namespace tidegate::fleet
