// SIGINT and SIGTERM for those who asked: workers drain, pools close in order, then the signal goes on to whoever
// handled it before. The handler itself only writes a byte to a pipe; a thread of its own does the rest. Thread-safe.
// One for the process, made when it is first needed and never destroyed.
#pragma once

#include <signal.h>

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace tidegate::client {

class PoolShell;

class SignalWatch {
public:
    static SignalWatch& instance();

    void close_at_end(std::weak_ptr<PoolShell> pool, Duration grace);

    // While one of these lives, a first signal only calls `drain`, on the watch's thread; a second one acts as if there
    // were none.
    class Drainer {
    public:
        explicit Drainer(std::function<void()> drain);
        Drainer(const Drainer&) = delete;
        Drainer& operator=(const Drainer&) = delete;
        ~Drainer();  // waits until a call that is under way has returned

    private:
        std::list<std::function<void()>>::iterator place_;
    };

private:
    struct Closing {
        std::weak_ptr<PoolShell> pool;
        Duration grace;
    };

    SignalWatch();
    void listen();
    void on_signal(int signal);
    [[nodiscard]] bool drain();
    void close_pools();
    void hand_on(int signal);

    int pipe_[2] = {-1, -1};
    std::array<struct sigaction, 2> before_{};  // of SIGINT, SIGTERM

    Mutex mutex_;
    std::list<std::function<void()>> drainers_ TIDEGATE_GUARDED_BY(mutex_);
    std::vector<Closing> closings_ TIDEGATE_GUARDED_BY(mutex_);
    bool drained_ TIDEGATE_GUARDED_BY(mutex_) = false;
};

}  // namespace tidegate::client
