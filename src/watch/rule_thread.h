// The standing orders of a gate on a thread of their own: it looks at the server over the gate's standing connection
// and ends what the rules fit. The thread begins when there are rules.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "proxy/companion.h"
#include "proxy/gate.h"
#include "watch/local.h"
#include "watch/rules.h"
#include "watch/session.h"

namespace tidegate::watch {

class RuleThread final : public proxy::Companion {
public:
    struct Settings {
        std::vector<config::KillRule> rules;
        ServerAddress server;
        bool has_account = false;  // the gate has a standing connection
    };
    [[nodiscard]] static Settings settings_of(const config::Config& config);

    RuleThread(proxy::Gate& gate, const Settings& settings);
    ~RuleThread() override;

    // For the gate's loop.
    void tick(TimePoint) override {}
    void reload(const config::Config& config) override { apply(settings_of(config)); }
    void drain() override;
    [[nodiscard]] bool idle() override { return true; }

private:
    void apply(const Settings& settings);
    void run();
    void take_turns(const std::vector<Rules::Turn>& turns);
    [[nodiscard]] Result<Snapshot> look();
    void take_turn(const Rules::Turn& turn, const Snapshot& snapshot);

    proxy::Gate& gate_;
    std::unique_ptr<Session> session_;  // the thread's
    std::optional<Snapshot> last_;      // the thread's
    std::mutex mutex_;
    std::condition_variable changed_;
    Rules rules_;            // guarded by mutex_
    ServerAddress address_;  // guarded by mutex_
    bool stopping_ = false;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace tidegate::watch
