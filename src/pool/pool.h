// Server connections and the sessions that lease them, as states: given an event, the next action. No I/O, no clock.
//
// The shell derives its server connection from `Connection` and its client session from `Request`, tells the pool what
// happened, and does what the pool's `Actions` say. The rule that holds after every call: nobody waits while a connection
// that could serve it is idle, or while the budget has room for one.
//
//   acquire()  -> a connection at once, a place in the line, or a refusal
//   release()  -> the connection goes to the head of the line, or is idle, or is closed
//   opened(), open_failed(), closed(): what became of connections
//   tick(): deadlines, retirement, back-off, probing; about ten times a second
//
// Belongs to one thread. Takes the time as an argument. Nothing on the path acquire -> release allocates.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/intrusive_list.h"
#include "budget/budget.h"

namespace tidegate::pool {

// What cannot be changed on an open connection: whose it is, and the capability flags that it was opened with.
struct Key {
    budget::AccountId account = 0;
    std::uint32_t flags = 0;  // protocol::kSharingFlags of the client
    friend bool operator==(const Key&, const Key&) = default;
};

struct IdleTag;
struct AllTag;
struct LineTag;

// One connection to the server, as the pool sees it. The shell may read all of it; only the pool writes what is above the line.
class Connection : public ListNode<IdleTag>, public ListNode<AllTag> {
public:
    enum class State : std::uint8_t { opening, idle, leased, closing };

    Key key;
    State state = State::opening;
    TimePoint opened_at{};
    TimePoint idle_since{};
    TimePoint retire_at{};         // max_age, with jitter
    std::uint64_t generation = 0;  // of privileges and globals (Trap 9): an older one serves no new session
    // ---
    const void* session_state = nullptr;  // what the session of this connection looks like; equality is identity
    std::uint64_t last_session = 0;       // who used it last; 0: nobody
};

// One session's wish for a connection. It lives in the session; while it waits it is in the line.
class Request : public ListNode<LineTag> {
public:
    Key key;
    std::uint32_t rank = 0;  // of its class: lower goes first
    std::uint64_t session = 0;
    const void* session_state = nullptr;
    Connection* favourite = nullptr;  // used again if idle and last used by this session; the pool clears it when it is closed
    std::uint64_t min_generation = 0;
    // ---
    TimePoint since{};     // when it asked
    TimePoint deadline{};  // absolute
    std::uint64_t arrival = 0;
};

enum class CloseReason : std::uint8_t {
    retired_idle,
    retired_age,
    retired_generation,
    made_room,     // for another account, or other flags
    over_limit,    // the limit went down
    server_closed,
    server_lost,   // closed or failed while leased
    unclean,       // its session left something behind that no reset removes
    client_gone,   // its client vanished in the middle of something
    draining,
};
[[nodiscard]] std::string_view name_of(CloseReason reason);

// Why a connection could not be opened.
enum class OpenFailure : std::uint8_t {
    too_many,       // 1040
    account_limit,  // 1203, 1226 at login
    unreachable,    // refused, timed out, closed during the handshake
    host_blocked,   // 1129
    denied,         // 1045, 1044, 1698, ..: the server does not want this account; it is not the line's business to wait
    other,
};

class Actions {
public:
    virtual ~Actions() = default;
    // None of these may call back into the pool before the pool's function has returned.
    virtual void open(Key key) = 0;                               // then opened() or open_failed(), exactly once
    virtual void close(Connection& connection, CloseReason reason) = 0;  // it was idle; forgotten by the pool already
    virtual void grant(Request& request, Connection& connection) = 0;  // it waited; it has a connection now
    virtual void refuse(Request& request, const Error& error) = 0;     // it waited; it is out of the line
    virtual void log(std::string_view message) = 0;               // a change that an operator wants to know
};

struct Options {
    Duration wait_timeout = 30s;
    std::size_t max_waiting = 10000;
    Duration idle_timeout = 60s;
    Duration max_age = 1h;
    std::uint64_t seed = 1;  // of the jitter
};

}  // namespace tidegate::pool
