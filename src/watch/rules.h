// The standing orders of a running gate ([[kill]]): at whose turn it is, what it looks for, and when it is in earnest.
// The times are handed in; the thread around it is rule_thread.h.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "watch/victims.h"

namespace tidegate::watch {

class Rules {
public:
    // Rules that stay as they were go on; new and changed ones begin with their dry run.
    void set(const std::vector<config::KillRule>& rules, TimePoint now);

    [[nodiscard]] bool empty() const { return rules_.empty(); }
    // When the next one is due; TimePoint::max(): none ever.
    [[nodiscard]] TimePoint next() const;

    struct Turn {
        std::string name;
        Filter filter;
        bool query_only = false;
        std::size_t limit = 0;
        bool dry_run = false;
    };
    // Those that are due; their next turn is one period later.
    [[nodiscard]] std::vector<Turn> due(TimePoint now);

    // Whether a dry run has not said this yet: each victim is told of once.
    [[nodiscard]] bool is_news(const std::string& rule, std::uint64_t connection);

private:
    struct Standing {
        config::KillRule rule;
        TimePoint since{};
        TimePoint next{};
        std::set<std::uint64_t> told;
    };
    std::vector<Standing> rules_;
};

}  // namespace tidegate::watch
