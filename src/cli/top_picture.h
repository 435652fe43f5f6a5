// What the looks of `tidegate top` have seen, as a picture for its screen: the figures in words, the last minutes, the
// pages. One thread.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "cli/way_in.h"
#include "watch/top_state.h"

namespace tidegate::cli {

struct TopLook {
    Duration max_idle = 300s;
    Duration long_statement = 60s;
    bool ascii = false;  // the terminal has no UTF-8
};

class TopPainter {
public:
    explicit TopPainter(TopLook look) : look_(look) {}

    // Asks the gate of this host, too, where one stands before the server.
    [[nodiscard]] watch::TopPicture paint(WayIn& way, const watch::Snapshot& snapshot);

private:
    void note(const watch::Snapshot& snapshot, double used);
    [[nodiscard]] std::string activity(const watch::Snapshot& snapshot) const;
    void add_history(watch::TopPicture& picture) const;

    struct Past {
        watch::WallTime at;
        double used = 0;
    };
    TopLook look_;
    std::deque<Past> past_;
    std::optional<watch::WallTime> counted_at_;
    std::uint64_t questions_ = 0;
    std::optional<double> rate_;  // questions per second between the last two looks
};

}  // namespace tidegate::cli
