// One line at the bottom of a terminal that is drawn again and again, out of the way of everything else that is
// written there. Does nothing where standard error is no terminal.
#pragma once

#include <string>

#include "base/clock.h"

namespace tidegate::cli {

class StatusLine {
public:
    StatusLine();
    ~StatusLine() { clear(); }
    StatusLine(const StatusLine&) = delete;
    StatusLine& operator=(const StatusLine&) = delete;

    [[nodiscard]] bool shown() const { return terminal_; }
    // "[######....] text", as wide as the terminal; at most ten times a second, unless it was cleared.
    void draw(double share, const std::string& text, TimePoint now);
    void clear();

private:
    bool terminal_;
    bool drawn_ = false;
    TimePoint drawn_at_{};
};

}  // namespace tidegate::cli
