// The fleets of a gate on a thread and a loop of their own: starting processes, reading what they print and hearing of
// their ends never takes time from the statements of the gate's clients. The gate says how it is, several times a
// second; everything else is messages, too.
//
// SIGCHLD must be blocked in every thread of the process (net::Signals::block, before the first one is started): one
// that does not would take it and lose it. The thread begins when there are fleets.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fleet/gate_fleets.h"
#include "net/ask.h"
#include "net/loop.h"
#include "net/signals.h"
#include "proxy/companion.h"
#include "proxy/gate.h"

namespace tidegate::fleet {

class FleetThread final : public proxy::Companion {
public:
    // `open_files`: Crew::Settings.
    FleetThread(proxy::Gate& gate, const std::vector<config::Fleet>& fleets, std::uint64_t open_files);
    ~FleetThread() override;

    // For the gate's loop.
    void tick(TimePoint now) override;
    void reload(const config::Config& config) override;
    void finish_work() override;
    [[nodiscard]] bool work_finished() override { return !runs_; }
    void cut_off() override;
    void drain() override {}
    [[nodiscard]] bool idle() override { return !runs_; }

    // For any thread. Steering's answer says what is done now; an error's code is 404 for a fleet that there is not.
    [[nodiscard]] std::vector<FleetView> views();
    [[nodiscard]] Result<std::string> scale(const std::string& name, unsigned workers);
    [[nodiscard]] Result<std::string> restart(const std::string& name);
    [[nodiscard]] Result<LogPage> logs(const std::string& name, std::uint64_t after, std::size_t most);

private:
    void begin(const std::vector<config::Fleet>& fleets);
    void run();
    net::Task<void> hear_of_ends();
    void ask_who_rests();
    // What `question` makes of that fleet, on the thread.
    template <class Question>
    [[nodiscard]] std::invoke_result_t<Question, GateFleet&> ask(const std::string& name, Question question);

    proxy::Gate& gate_;
    net::Loop loop_;
    net::Signals signals_;
    GateFleets fleets_;  // the thread's, once it runs
    TimePoint next_look_{};
    bool finishing_ = false;
    std::atomic<bool> runs_ = false;
    net::LastAnswer<std::vector<FleetView>> views_;
    std::thread thread_;
};

}  // namespace tidegate::fleet
