// All connections and all requests of one key: a connection serves only requests of its own lane.
// Belongs to the pool's thread; the pool is the only one that uses it.
#pragma once

#include <array>
#include <cstdint>

#include "base/intrusive_list.h"
#include "pool/connection.h"
#include "pool/request.h"

namespace tidegate::pool {

struct Account;
struct BusyTag;

inline constexpr std::uint32_t kRanks = 16;
[[nodiscard]] inline std::uint32_t rank_of(const Request& request) {
    return request.rank < kRanks ? request.rank : kRanks - 1;
}

// In the pool's list of busy lanes while anybody waits in it.
class Lane : public ListNode<BusyTag> {
public:
    Lane(Key key_of, Account& account_of) : key(key_of), account(account_of) {}

    const Key key;
    Account& account;
    IntrusiveList<Connection, StateTag> idle;  // the most recently used first
    unsigned opening = 0;

    // Puts it where its rank and its arrival belong: at the end, but for one that had its place before.
    void add(Request& request);
    void remove(Request& request);
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    // The next to be served; nullptr: nobody waits.
    [[nodiscard]] Request* head();
    // The first whom no connection in the making will serve, if those are as many as `covering`; nullptr: nobody.
    [[nodiscard]] Request* first_beyond(std::size_t covering);
    // Calls f(request) for those beyond the first `covering`, in order, until it returns false.
    template <class F>
    void for_each_beyond(std::size_t covering, F f);
    [[nodiscard]] Duration longest_wait(TimePoint now);
    // Does anybody wait whose turn is before a newcomer's of this rank?
    [[nodiscard]] bool anybody_before(std::uint32_t rank) const { return (ranks_ & ((2U << rank) - 1U)) != 0; }

    // The idle connection that suits this session best: one in its state among the most recently used, else the most
    // recently used. REQUIRES: one is idle.
    [[nodiscard]] Connection& pick(const void* session_state);

private:
    std::array<IntrusiveList<Request, LineTag>, kRanks> line_;
    std::uint32_t ranks_ = 0;  // a bit for every rank that somebody waits in
    std::size_t waiting_ = 0;
};

template <class F>
void Lane::for_each_beyond(std::size_t covering, F f) {
    if (covering >= waiting_) return;
    for (auto& list : line_) {
        if (covering >= list.size()) {
            covering -= list.size();
            continue;
        }
        for (Request& request : list) {
            if (covering > 0) {
                --covering;
            } else if (!f(request)) {
                return;
            }
        }
    }
}

}  // namespace tidegate::pool
