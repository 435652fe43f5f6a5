// What is said on the slots' socket: a line each way, words in ASCII, `key=value` in any order. For any language.
//
//   ACQUIRE name wait=30s priority=5     OK slot=17 waited=0.2s
//                                        ERR timeout waited=30.0s active=150 waiting=37
//   RELEASE                              OK released
//   STATS name                           OK name=default active=150 waiting=37 peak=150 max=150 room=0 ..
//   LIST                                 POOL .., HOLDER .., WAITER .. and END, a line each
//
// A connection holds one slot at most, and holding the connection is holding the slot. More words of ACQUIRE:
// `waited=2s` (it stood in line elsewhere), `lock=1` (the slot's lock comes along as a descriptor, SCM_RIGHTS: then the
// slot lasts as long as that lock), `slots=5` (the pool is to have so many from now on, of those that the gate gives at
// most), `resume=17` (it held that slot through a gate that is gone), and last of all
// `command=` with whatever should be shown of the holder, to the end of the line.
//
// Pure: text in, structs out, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "slots/ledger.h"

namespace tidegate::slots {

inline constexpr std::size_t kLongestLine = 1024;

enum class Verb : std::uint8_t { acquire, release, stats, list };

struct Line {
    Verb verb = Verb::acquire;
    std::string pool;              // "default" when none is named
    std::optional<Duration> wait;  // empty: the gate's own
    int priority = 0;
    Duration waited{};
    bool lock = false;
    std::optional<SlotNumber> resume;
    std::optional<unsigned> slots;  // the pool is to have; empty: the gate's own number
    std::string command;
};
// Without its end of line. An error is the rest of an ERR line.
[[nodiscard]] Result<Line> parse_line(std::string_view text);

[[nodiscard]] std::string acquire_line(const Line& line);
[[nodiscard]] std::string ok_line(SlotNumber slot, Duration waited);
[[nodiscard]] std::string timeout_line(Duration waited, const Ledger& ledger);
[[nodiscard]] std::string error_line(std::string_view kind, std::string_view sentence);
[[nodiscard]] std::string stats_line(std::string_view name, const Ledger& ledger, TimePoint now);
// POOL, HOLDER and WAITER lines of one pool.
[[nodiscard]] std::string list_lines(std::string_view name, const Ledger& ledger, TimePoint now);

// The answer to ACQUIRE.
struct Reply {
    bool ok = false;
    SlotNumber slot = 0;
    Duration waited{};
    bool timed_out = false;
    unsigned active = 0;
    unsigned waiting = 0;
    std::string text;  // the line itself
};
[[nodiscard]] std::optional<Reply> parse_reply(std::string_view text);

// What list_lines() says, by pool; nothing: it is no such list.
struct Listed {
    std::string name;
    Ledger ledger;
};
[[nodiscard]] std::optional<std::vector<Listed>> parse_list(std::string_view text, TimePoint now);

}  // namespace tidegate::slots
