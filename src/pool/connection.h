// One connection to the server as the pool sees it, and what can become of it. A state is the list that it is in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "budget/budget.h"

namespace tidegate::pool {

class Lane;
class Pool;
class Request;

// What cannot be changed on an open connection: whose it is, and the capability flags that it was opened with.
struct Key {
    budget::AccountId account = 0;
    std::uint64_t flags = 0;  // protocol::kSharingFlags of the client
    friend bool operator==(const Key&, const Key&) = default;
};

enum class CloseReason : std::uint8_t {
    retired_idle,
    retired_age,
    retired_generation,
    made_room,      // for another account, or other flags
    over_limit,     // the limit went down
    server_closed,  // while idle
    server_lost,    // closed or failed while leased
    unclean,        // its session left something behind that no reset removes
    client_gone,    // its client vanished in the middle of something
    draining,       // the pool is paused or drained
    seat_left,      // it was somebody else's, only counted here (proxy/seats.h), and is over
};
inline constexpr std::size_t kCloseReasons = 11;
[[nodiscard]] std::string_view name_of(CloseReason reason);

struct StateTag;
struct IdleTag;

// The shell derives its server connection from this, fills in `key` and `generation` as Actions::open() gave them, and
// owns it. REQUIRES: Pool::closed() was called before it is destroyed, if Pool::opened() was.
class Connection : public ListNode<StateTag>, public ListNode<IdleTag> {
public:
    enum class State : std::uint8_t { opening, idle, leased, closing };

    Connection() = default;
    ~Connection();

    Key key;
    std::uint64_t generation = 0;  // of privileges and globals (protocol.md, Trap 9): an older one serves nobody
    // Written by the shell when it likes: what the session of this connection looks like; equality is identity.
    const void* session_state = nullptr;

    // Written by the pool.
    State state = State::opening;
    TimePoint opened_at{};
    TimePoint state_since{};         // idle, leased or closing since
    TimePoint retire_at{};           // max_age, with jitter
    std::uint64_t last_session = 0;  // who has it, or had it last; 0: nobody
    CloseReason reason{};            // when closing

private:
    friend class Lane;
    friend class Pool;
    friend class Request;
    Lane* lane_ = nullptr;
    Request* admirer_ = nullptr;  // whose favourite it is
};

}  // namespace tidegate::pool
