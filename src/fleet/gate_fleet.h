// One [[fleet]] of a gate: its configuration, its name on this host, its workers, and what they printed last. Belongs
// to the fleets' thread (fleet_thread.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "fleet/log_ring.h"
#include "fleet/pace.h"
#include "fleet/single.h"
#include "fleet/supervisor.h"
#include "fleet/view.h"

namespace tidegate::fleet {

// What the fleets of a gate have in common.
struct Surroundings {
    net::Loop& loop;
    std::uint64_t open_files = 0;  // Crew::Settings
    std::optional<Load> load{};    // the gate as it was seen last
};

class GateFleet {
public:
    GateFleet(const Surroundings& around, config::Fleet config) : around_(around), config_(std::move(config)) {}
    GateFleet(const GateFleet&) = delete;
    GateFleet& operator=(const GateFleet&) = delete;

    void start();                       // unless it runs, or its name is somebody else's: then with a later tick
    void wait_for(std::string reason);  // why it is not started yet
    void change(config::Fleet to);      // scales, or takes it over and replaces all workers
    void drain();                       // for good
    void cut_off();
    void tick(TimePoint now);
    bool ended(const EndedChild& child);

    // Orders, answered with what is done now.
    [[nodiscard]] Result<std::string> scale(unsigned workers);
    [[nodiscard]] Result<std::string> restart();

    // batch = "auto": how many more there should be, and how many may be started now.
    [[nodiscard]] unsigned wants_room() const;
    void room(unsigned workers);

    [[nodiscard]] const config::Fleet& config() const { return config_; }
    [[nodiscard]] bool stopping() const { return stopping_; }
    [[nodiscard]] bool over() const;  // told to end, and nothing is left
    [[nodiscard]] FleetView view();
    [[nodiscard]] LogPage logs(std::uint64_t after, std::size_t most) const;
    [[nodiscard]] Supervisor* workers() { return supervisor_.get(); }
    void say(Level level, const std::string& sentence) const;

private:
    [[nodiscard]] Result<bool> take_name();
    [[nodiscard]] Output::Settings output() const;
    [[nodiscard]] bool given_up() const;
    void fail(const Error& error);

    const Surroundings& around_;
    config::Fleet config_;
    LogRing ring_;
    std::optional<Single> single_;
    std::unique_ptr<Supervisor> supervisor_;
    std::string waiting_for_ = "the server";
    std::string trouble_;  // why it could not be started at all
    bool stopping_ = false;
    TimePoint next_try_{};
};

}  // namespace tidegate::fleet
