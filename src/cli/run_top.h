// `tidegate run --top`: the fleet as a live screen instead of lines. Takes the terminal's alternate screen while it is
// there, so that what stood on the terminal is there again afterwards.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fleet/fleet.h"

namespace tidegate::cli {

// The screen as lines, at most `height` of them, none longer than `width`.
[[nodiscard]] std::vector<std::string> top_lines(const fleet::Fleet& fleet,
                                                 const std::function<int(fleet::WorkerId)>& pid,
                                                 const std::string& server, const std::deque<std::string>& said,
                                                 TimePoint now, std::size_t width, std::size_t height);

class TopScreen {
public:
    TopScreen() = default;
    ~TopScreen() { close(); }
    TopScreen(const TopScreen&) = delete;
    TopScreen& operator=(const TopScreen&) = delete;

    void draw(const fleet::Fleet& fleet, const std::function<int(fleet::WorkerId)>& pid, const std::string& server,
              TimePoint now);
    void say(const std::string& sentence);  // the last few stand at the bottom
    void close();

private:
    bool open_ = false;
    TimePoint drawn_at_{};
    std::deque<std::string> said_;
};

}  // namespace tidegate::cli
