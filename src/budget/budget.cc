#include "budget/budget.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tidegate::budget {

namespace {
constexpr unsigned kUnknown = 100;     // when neither the configuration nor the server has named a number
constexpr Duration kBlockedFor = 60s;  // after 1129

template <class T>
void take(std::optional<T>& into, const std::optional<T>& news) {
    if (news) into = news;
}
}  // namespace

std::string_view name_of(OpenFailure failure) {
    switch (failure) {
        case OpenFailure::too_many:
            return "too_many";
        case OpenFailure::account_limit:
            return "account_limit";
        case OpenFailure::unreachable:
            return "unreachable";
        case OpenFailure::host_blocked:
            return "host_blocked";
        case OpenFailure::denied:
            return "denied";
        case OpenFailure::other:
            return "other";
    }
    return "other";
}

Budget::Budget(Options options) : options_(options), jitter_(options.seed) {}

void Budget::set_options(const Options& options) {
    options_ = options;
    ceiling_.forget();
}

void Budget::set_account(AccountId account, AccountOptions options) {
    of(account).options = std::move(options);
}

void Budget::learn(const Learnt& learnt) {
    // News that there may be more room ends what refusals taught; figures that were known before do not.
    const bool news = (learnt.max_connections && learnt.max_connections != learnt_.max_connections) ||
                      (learnt.others && learnt_.others && *learnt.others < *learnt_.others);
    const bool account_news =
        learnt.max_user_connections && learnt.max_user_connections != learnt_.max_user_connections;
    take(learnt_.max_connections, learnt.max_connections);
    take(learnt_.max_user_connections, learnt.max_user_connections);
    take(learnt_.others, learnt.others);
    if (news) ceiling_.forget();
    if (account_news) {
        for (Account& account : accounts_) account.ceiling.forget();
    }
}

void Budget::learn(AccountId id, const LearntAccount& learnt) {
    Account& account = of(id);
    const bool news =
        (learnt.max_user_connections && learnt.max_user_connections != account.learnt.max_user_connections) ||
        (learnt.others && account.learnt.others && *learnt.others < *account.learnt.others);
    take(account.learnt.max_user_connections, learnt.max_user_connections);
    take(account.learnt.others, learnt.others);
    if (news) account.ceiling.forget();
}

unsigned Budget::left_by_server() const {
    const unsigned not_ours = options_.reserve + others();
    return *learnt_.max_connections > not_ours ? *learnt_.max_connections - not_ours : 1U;
}

std::optional<unsigned> Budget::learnt() const {
    if (!learnt_.max_connections && !ceiling_.closed()) return std::nullopt;
    return std::max(1U, std::min(learnt_.max_connections ? left_by_server() : Ceiling::kNone, ceiling_.level()));
}

unsigned Budget::base_limit() const {
    unsigned limit = options_.max_connections.value_or(learnt_.max_connections ? Ceiling::kNone : kUnknown);
    if (learnt_.max_connections) limit = std::min(limit, left_by_server());
    return std::max(limit, 1U);
}

unsigned Budget::base_limit(const Account& account) const {
    unsigned limit = std::min(account.options.max_connections.value_or(Ceiling::kNone),
                              options_.max_per_user.value_or(Ceiling::kNone));
    const unsigned own = account.learnt.max_user_connections.value_or(0);
    const unsigned server = own != 0 ? own : learnt_.max_user_connections.value_or(0);
    if (server != 0) {
        const unsigned others = account.learnt.others.value_or(0);
        limit = std::min(limit, server > others ? server - others : 1U);
    }
    return std::max(limit, 1U);
}

unsigned Budget::limit() const {
    return std::max(std::min(base_limit(), ceiling_.level()), 1U);
}

unsigned Budget::limit_of(AccountId id) const {
    const Account& account = of(id);
    return std::min(limit(), std::max(std::min(base_limit(account), account.ceiling.level()), 1U));
}

Room Budget::room(TimePoint now) const {
    if (blocked(now)) return Room::blocked;
    if (reach_.failing() && (now < reach_.retry_at() || total_.opening > 0)) return Room::backing_off;
    if (total_.opening >= options_.opening_at_once) return Room::paced;
    if (total_.held() >= base_limit()) return Room::full;
    if (total_.held() >= ceiling_.level() && !ceiling_.probe_due(total_.opening, now)) return Room::full;
    return Room::yes;
}

Room Budget::room(AccountId id, TimePoint now) const {
    const Room all = room(now);
    if (all != Room::yes && all != Room::full) return all;
    const Account& account = of(id);
    if (account.backoff.failing() && (now < account.backoff.retry_at() || account.count.opening > 0)) {
        return Room::backing_off;
    }
    const unsigned held = account.count.held();
    if (held >= base_limit(account)) return Room::account_full;
    if (held >= account.ceiling.level() && !account.ceiling.probe_due(account.count.opening, now)) {
        return Room::account_full;
    }
    return all;
}

void Budget::start(AccountId account) {
    ++of(account).count.opening;
    ++total_.opening;
}

void Budget::opened(AccountId id, TimePoint now) {
    Account& account = of(id);
    assert(account.count.opening > 0);
    --account.count.opening;
    --total_.opening;
    ++account.count.open;
    ++total_.open;
    if (account.options.counted_only) return;
    reach_.worked();
    account.backoff.worked();
    blocked_until_ = TimePoint{};
    ceiling_.worked(total_.open, now);
    if (ceiling_.closed() && ceiling_.level() >= base_limit()) ceiling_.forget();
    account.ceiling.worked(account.count.open, now);
    if (account.ceiling.closed() && account.ceiling.level() >= base_limit(account)) account.ceiling.forget();
}

void Budget::failed(AccountId id, OpenFailure failure, TimePoint now) {
    Account& account = of(id);
    assert(account.count.opening > 0);
    --account.count.opening;
    --total_.opening;
    ++failures_[static_cast<std::size_t>(failure)];
    if (failure != OpenFailure::unreachable) reach_.worked();  // it answered
    switch (failure) {
        case OpenFailure::too_many:
            ceiling_.refused(total_.open, now);
            break;
        case OpenFailure::account_limit:
            account.ceiling.refused(account.count.open, now);
            break;
        case OpenFailure::unreachable:
            reach_.failed(now, jitter_);
            break;
        case OpenFailure::host_blocked:
            blocked_until_ = now + kBlockedFor;
            break;
        case OpenFailure::denied:
            account.backoff.worked();
            break;
        case OpenFailure::other:
            account.backoff.failed(now, jitter_);
            break;
    }
}

void Budget::gone(AccountId id) {
    Account& account = of(id);
    assert(account.count.open > 0);
    --account.count.open;
    --total_.open;
}

const Budget::Account& Budget::of(AccountId account) const {
    static const Account unknown{};
    return account < accounts_.size() ? accounts_[account] : unknown;
}

Budget::Account& Budget::of(AccountId account) {
    if (account >= accounts_.size()) accounts_.resize(account + std::size_t{1});
    return accounts_[account];
}

}  // namespace tidegate::budget
