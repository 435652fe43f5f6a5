// All fleets of a gate, by name: what the configuration wants is held against what is there. Belongs to the fleets'
// thread (fleet_thread.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "fleet/gate_fleet.h"

namespace tidegate::fleet {

class GateFleets {
public:
    GateFleets(net::Loop& loop, std::uint64_t open_files) : around_{.loop = loop, .open_files = open_files} {}
    GateFleets(const GateFleets&) = delete;
    GateFleets& operator=(const GateFleets&) = delete;

    // The configuration from now on: new fleets are added, missing ones ended, changed ones scaled or replaced; those
    // that are as they were are left alone.
    void apply(const std::vector<config::Fleet>& wanted);
    // The gate as it is now. The first time that its server is up, the fleets are started.
    void seen(const Load& load, bool server_is_up);
    void tick(TimePoint now);
    void ended(const EndedChild& child);
    void drain();                     // all of them, for good
    void cut_off();                   // .. at once
    [[nodiscard]] bool over() const;  // drained, and nothing is left

    // Workers that are to end and cannot be asked to yet, since nothing tells of the ends of their jobs.
    struct Unheard {
        std::string fleet;
        WorkerId worker = 0;
        pid_t pid = 0;
    };
    [[nodiscard]] std::vector<Unheard> waiting_unheard();
    void idle(const Unheard& worker);  // it is in the middle of nothing, as the gate sees it

    // An error's code is 404 where there is no such fleet.
    [[nodiscard]] Result<GateFleet*> find(std::string_view name);
    [[nodiscard]] std::vector<FleetView> views();
    template <class Function>
    void each(Function function) {
        for (auto& fleet : fleets_) function(*fleet);
    }

private:
    void add(const config::Fleet& config);
    void start_those_that_may();
    void give_room(const Load& load);

    Surroundings around_;
    std::vector<std::unique_ptr<GateFleet>> fleets_;  // those that are ending among them
    Room room_{0};
    bool started_ = false;
    bool draining_ = false;
};

}  // namespace tidegate::fleet
