// How full the server is, by every limit that holds for the one who asks, and a verdict in words with what to do. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "watch/snapshot.h"

namespace tidegate::watch {

enum class Level : std::uint8_t { well, attention, critical };
[[nodiscard]] std::string_view name_of(Level level);  // "well", "attention", "critical"

inline constexpr double kAttentionFrom = 80.0;  // percent
inline constexpr double kCriticalFrom = 95.0;

// One limit and its use.
struct Usage {
    std::string of{};          // "server", "account app"
    std::string limit_name{};  // "max_connections", "max_user_connections", "MAX_USER_CONNECTIONS of 'app'@'%'"
    std::uint64_t used = 0;
    std::uint64_t limit = 0;

    [[nodiscard]] double percent() const {
        return limit == 0 ? 0 : 100.0 * static_cast<double>(used) / static_cast<double>(limit);
    }
    [[nodiscard]] Level level() const;
    [[nodiscard]] std::string text() const;  // "3 / 50 (6.0%)"
};

// The server's first, then each account with a limit of its own, the fullest first. An account's use is known only as
// far as its connections are seen (Snapshot::sees_all).
[[nodiscard]] std::vector<Usage> usages(const Snapshot& snapshot);
// The fullest of them. REQUIRES: not empty.
[[nodiscard]] const Usage& tightest(const std::vector<Usage>& usages);

struct Counts {
    std::size_t total = 0;
    std::size_t active = 0;
    std::size_t sleeping = 0;
    std::size_t idle = 0;  // sleeping for max_idle or longer
};
// Of those that are held (Snapshot::held); of one account, where it is named.
[[nodiscard]] Counts counts(const Snapshot& snapshot, Duration max_idle, std::string_view user = {});

struct Verdict {
    Level level = Level::well;
    std::string sentence;
    std::vector<std::string> advice;  // what to do, the most useful first; each with its literal command or setting
};
// `max_idle` and `long_statement` as the operator has them.
[[nodiscard]] Verdict verdict(const Snapshot& snapshot, Duration max_idle, Duration long_statement);

}  // namespace tidegate::watch
