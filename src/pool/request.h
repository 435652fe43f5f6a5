// One session's wish for a connection. It lives as long as its session does, and while it waits it is in the line.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "pool/connection.h"

namespace tidegate::pool {

struct LineTag;
struct DeadlineTag;

// REQUIRES: Pool::cancel() was called before it is destroyed, if it may be waiting.
class Request : public ListNode<LineTag>, public ListNode<DeadlineTag> {
public:
    Request() = default;
    ~Request();

    // Written by the shell, while it does not wait.
    Key key;
    std::uint32_t rank = 0;     // of its class: lower goes first; from kRanks - 1 on all are alike
    std::uint64_t session = 0;  // who asks; not 0
    const void* session_state = nullptr;
    std::uint64_t min_generation = 0;  // Pool::generation() at its login
    Duration wait_timeout{};           // 0: the pool's

    // Written by the pool.
    TimePoint since{};          // when it asked
    TimePoint deadline{};       // absolute
    std::uint64_t arrival = 0;  // its number in the line
    [[nodiscard]] bool waiting() const { return ListNode<LineTag>::linked(); }
    // The connection that it had last, if nobody has had it since and it is still there; else nullptr.
    [[nodiscard]] const Connection* favourite() const { return favourite_; }

private:
    friend class Connection;
    friend class Pool;
    Connection* favourite_ = nullptr;
};

}  // namespace tidegate::pool
