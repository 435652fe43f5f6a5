// The looks of `tidegate top`, in a thread of their own: the screen and its keys never wait for a slow server. It also
// ends connections, since the way to the server is that thread's. After a failure it gets in again by itself.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cli/top_picture.h"
#include "cli/way_in.h"
#include "watch/top_state.h"

namespace tidegate::cli {

class TopFeed {
public:
    // `way` is open. Whenever there is something new, 8 bytes are written to `wake` (an eventfd).
    TopFeed(WayIn way, watch::Snapshot first, TopLook look, std::string audit_log, int wake);
    TopFeed(const TopFeed&) = delete;
    TopFeed& operator=(const TopFeed&) = delete;
    // Waits for the thread a moment. While the server does not answer it may be left behind: then the process is to be
    // ended by _exit().
    ~TopFeed();
    [[nodiscard]] bool stop();  // whether the thread has ended

    void set(Duration every, bool paused);
    void look_now();
    void end(watch::TopVictim victim);

    // What is new since the last call.
    [[nodiscard]] std::shared_ptr<const watch::TopPicture> take_picture();
    [[nodiscard]] std::string take_said();
    // Why the picture is an old one; empty: it is not.
    [[nodiscard]] std::string trouble(TimePoint now) const;

private:
    struct Shared;
    class Loop;
    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

}  // namespace tidegate::cli
