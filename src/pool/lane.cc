#include "pool/lane.h"

#include <algorithm>
#include <bit>

namespace tidegate::pool {

void Lane::add(Request& request) {
    const std::uint32_t rank = rank_of(request);
    auto& list = line_[rank];
    if (list.empty() || list.back().arrival < request.arrival) {
        list.push_back(request);
    } else {
        auto at = list.begin();
        while (at->arrival < request.arrival) ++at;  // it was near the head when it was served
        list.insert(*at, request);
    }
    ranks_ |= 1U << rank;
    ++waiting_;
}

void Lane::remove(Request& request) {
    const std::uint32_t rank = rank_of(request);
    IntrusiveList<Request, LineTag>::erase(request);
    if (line_[rank].empty()) ranks_ &= ~(1U << rank);
    --waiting_;
}

Request* Lane::head() {
    return ranks_ == 0 ? nullptr : &line_[static_cast<std::size_t>(std::countr_zero(ranks_))].front();
}

Request* Lane::first_beyond(std::size_t covering) {
    Request* found = nullptr;
    for_each_beyond(covering, [&found](Request& request) {
        found = &request;
        return false;
    });
    return found;
}

Duration Lane::longest_wait(TimePoint now) {
    Duration longest{};
    for (auto& list : line_) {
        if (!list.empty()) longest = std::max(longest, now - list.front().since);
    }
    return longest;
}

Connection& Lane::pick(const void* session_state) {
    int left = 8;  // the older ones are to age out
    for (Connection& connection : idle) {
        if (left-- == 0) break;
        if (connection.session_state == session_state) return connection;
    }
    return idle.front();
}

}  // namespace tidegate::pool
