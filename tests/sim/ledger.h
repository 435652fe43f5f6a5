// What must be true of the pool after every event, kept apart from the pool: the shell enters what it sees, and the
// ledger compares it with the rules. It counts for itself, knows the figures that the budget was given, and looks
// through all who wait, so that a mistake in the pool's own bookkeeping cannot hide itself.
//
//   limit        nothing is opened above the limit known at that moment, of the server and of the account, and nothing
//   idle is kept order        nobody is served while somebody waits whose turn it was idle         nobody waits while a
//   connection that may serve it is idle room         nobody waits while the budget has room, or could have it by
//   closing an idle connection answer       everybody is answered exactly once, at the latest a tick after the deadline
//   count        the pool's figures are those of the ledger
//   refusals     the server is not asked again and again while it refuses
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "pool/pool.h"

namespace tidegate::sim {

inline constexpr std::size_t kAccounts = 7;
inline constexpr budget::AccountId kSlots =
    6;  // seats of those who hold slots: counted only, as proxy/seats.h has them
inline constexpr std::size_t kFlags = 2;
inline constexpr std::size_t kLanes = kAccounts * kFlags;

struct Client : pool::Request {
    enum class State { away, waiting, leased };
    State standing = State::away;
    struct ServerConnection* connection = nullptr;
    std::uint64_t asked = 0;  // so that what was planned for an earlier wish is not done to a later one
};

struct ServerConnection : pool::Connection {
    enum class State { none, free, idle, leased, closing };  // free: between two others, within one event
    State where = State::none;
    Client* client = nullptr;
    std::size_t index = 0;  // in the shell's list
    bool at_server = true;  // a seat's holder connects by himself, after it was granted
};

[[nodiscard]] inline std::size_t lane_of(pool::Key key) {
    return key.account * kFlags + key.flags;
}

class Ledger {
public:
    Ledger(const pool::Pool& pool, pool::Options options, budget::Options budget);

    // The figures, as the budget was given them.
    pool::Options options;
    budget::Options figures;
    budget::Learnt learnt;
    std::array<budget::LearntAccount, kAccounts> learnt_accounts;
    std::array<budget::AccountOptions, kAccounts> accounts;

    void asked(Client& client, TimePoint now);
    void waits(Client& client);
    void granted(Client& client, ServerConnection& connection, bool waited, TimePoint now);
    void refused(Client& client, bool waited, TimePoint now);
    void cancelled(Client& client);
    void opening(pool::Key key, TimePoint now);
    void open_failed(pool::Key key, budget::OpenFailure failure, TimePoint now);
    void opened(ServerConnection& connection);
    void released(ServerConnection& connection);
    void closing(ServerConnection& connection, TimePoint now);
    void gone(ServerConnection& connection);
    // The pool's function has returned: everything must be in order.
    void settle(TimePoint now);
    void ticked(TimePoint now);

    [[nodiscard]] const std::optional<std::string>& violation() const { return violation_; }
    [[nodiscard]] unsigned limit() const;
    [[nodiscard]] unsigned limit_of(std::size_t account) const;
    std::uint64_t events = 0;
    std::uint64_t grants = 0;
    std::uint64_t waited_grants = 0;
    std::uint64_t refusals = 0;

private:
    using Place = std::tuple<std::uint32_t, std::uint64_t, Client*>;  // rank, arrival
    struct Lane {
        std::set<Place> line;
        unsigned opening = 0;
        unsigned idle = 0;
    };
    struct Counts {
        unsigned opening = 0;
        unsigned free = 0;
        unsigned idle = 0;
        unsigned leased = 0;
        unsigned closing = 0;
        [[nodiscard]] unsigned held() const { return opening + free + idle + leased + closing; }
    };

    void move(ServerConnection& connection, ServerConnection::State to);
    void fail(TimePoint now, const std::string& rule, const std::string& what);
    [[nodiscard]] bool outside_share(const Client& client, unsigned under_way) const;
    [[nodiscard]] unsigned share_limit() const;
    [[nodiscard]] bool may_take_now(const Client& client) const;
    [[nodiscard]] bool may_open_for(const Client& client) const;
    [[nodiscard]] bool below_guarantee(std::size_t account) const;
    [[nodiscard]] bool before(const Client& a, const Client& b, Duration grace) const;
    [[nodiscard]] std::vector<Client*> uncovered(std::size_t lane) const;
    [[nodiscard]] bool paced() const;
    [[nodiscard]] std::size_t in_need_of_room(std::size_t but, const Client* before_whom, TimePoint at) const;
    [[nodiscard]] bool can_give_way(std::size_t to, bool same_account) const;
    void check_order(const Client& client, ServerConnection& connection, bool handed_over, TimePoint now);
    void check_lane(std::size_t lane, TimePoint now);
    void check_idle(TimePoint now);
    void check_counts(TimePoint now);

    const pool::Pool& pool_;
    std::array<Lane, kLanes> lanes_;
    std::array<Counts, kAccounts> counts_;
    Counts total_;
    std::set<std::pair<TimePoint, Client*>> deadlines_;
    std::uint32_t ranks_seen_ = 0;
    std::size_t waiting_ = 0;
    TimePoint last_tick_{};
    std::vector<TimePoint> server_refusals_;  // of the last second
    std::vector<ServerConnection*> unsettled_;
    std::optional<std::string> violation_;
};

}  // namespace tidegate::sim
