// How many connections there may be: what the configuration wants, what the server allows, what others hold, and what
// the server's refusals have taught; and when the next one may be opened. Pure: figures, events and times in, answers
// out. Belongs to one thread.
//
//   limit            = min(configured, max_connections - reserve - others), at least 1, and no more than the refusals
//   (1040) left limit of account = min(configured, max_user_connections - others of the account), at least 1, and the
//   same with 1203 and 1226
//
// `held` is what the server may count as ours: in the making, open, and being closed. docs/internals/budget.md has the
// reasons.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "budget/backoff.h"
#include "budget/ceiling.h"

namespace tidegate::budget {

using AccountId = std::uint32_t;  // an index that the shell gives; small and dense

// Why a connection could not be opened.
enum class OpenFailure : std::uint8_t {
    too_many,       // 1040
    account_limit,  // 1203; 1226 for max_user_connections (its hourly limits are `denied`: waiting does not help)
    unreachable,    // refused, timed out, closed during the handshake, 1053
    host_blocked,   // 1129
    denied,  // 1045, 1044, 1698, ..: the server does not want this account; it is not the line's business to wait
    other,   // tried again, with a back-off of the account's own
};
inline constexpr std::size_t kOpenFailures = 6;
[[nodiscard]] std::string_view name_of(OpenFailure failure);

struct Options {
    std::optional<unsigned>
        max_connections;  // ours, at most; empty: what the server allows, 100 while that is not known
    std::optional<unsigned> max_per_user{};  // of one account, at most
    unsigned reserve = 3;  // left at the server: the gate's monitor, one for KILL, one for the administrator
    unsigned opening_at_once = 16;
    std::uint64_t seed = 1;  // of the jitter
};

struct AccountOptions {
    std::string name{};                         // for people
    std::optional<unsigned> max_connections{};  // [[user]] max_connections
    unsigned guaranteed = 0;                    // room that others do not take
    bool counted_only = false;  // others make its connections: that one is open says nothing of the server
};

// What the monitor has read. An empty field is not known, and leaves what was known before.
struct Learnt {
    std::optional<unsigned> max_connections{};
    std::optional<unsigned> max_user_connections{};  // the server-wide one; 0: none
    std::optional<unsigned> others{};                // connections that are neither ours nor the gate's monitor
};
struct LearntAccount {
    std::optional<unsigned> max_user_connections{};  // the account's own; 0: none, the server-wide one holds
    std::optional<unsigned> others{};  // this account's connections that are not the pool's (a monitor's counts here)
};

// May a connection be opened now, and if not, why not.
enum class Room : std::uint8_t {
    yes,
    full,          // the limit is reached
    account_full,  // the account's limit is reached
    paced,         // enough are in the making
    backing_off,   // the server, or the account's login, has just failed
    blocked,       // 1129: nothing is opened
};

class Budget {
public:
    explicit Budget(Options options);

    void set_options(const Options& options);
    // Declares an account, or changes it. An account that was never declared has no name and no limits of its own.
    void set_account(AccountId account, AccountOptions options);
    void learn(const Learnt& learnt);
    void learn(AccountId account, const LearntAccount& learnt);

    // Numbers: never below 1.
    [[nodiscard]] unsigned limit() const;
    [[nodiscard]] unsigned limit_of(AccountId account) const;  // never above limit()
    [[nodiscard]] std::optional<unsigned> max_connections() const { return learnt_.max_connections; }  // the server's
    // What the server leaves us, refusals included; empty: not known.
    [[nodiscard]] std::optional<unsigned> learnt() const;
    [[nodiscard]] unsigned others() const { return learnt_.others.value_or(0); }
    [[nodiscard]] bool closed_by_refusals() const { return ceiling_.closed(); }
    [[nodiscard]] bool closed_by_refusals(AccountId account) const { return of(account).ceiling.closed(); }
    [[nodiscard]] unsigned open() const { return total_.open; }
    [[nodiscard]] unsigned open(AccountId account) const { return of(account).count.open; }
    [[nodiscard]] unsigned held() const { return total_.held(); }
    [[nodiscard]] unsigned held(AccountId account) const { return of(account).count.held(); }
    [[nodiscard]] unsigned opening() const { return total_.opening; }
    [[nodiscard]] unsigned opening(AccountId account) const { return of(account).count.opening; }
    [[nodiscard]] unsigned guaranteed(AccountId account) const { return of(account).options.guaranteed; }
    [[nodiscard]] std::string_view name(AccountId account) const { return of(account).options.name; }
    [[nodiscard]] const Options& options() const { return options_; }

    [[nodiscard]] Room room(AccountId account, TimePoint now) const;
    // The same for nobody in particular: not `yes` means that nothing can be opened for anybody.
    [[nodiscard]] Room room(TimePoint now) const;

    // What the pool does and sees. Every start() is followed by one opened() or failed(); every opened() by one gone().
    void start(AccountId account);
    void opened(AccountId account, TimePoint now);
    void failed(AccountId account, OpenFailure failure, TimePoint now);
    void gone(AccountId account);

    // Is the server known to be away (the last attempts could not reach it)?
    [[nodiscard]] bool unreachable() const { return reach_.failing(); }
    [[nodiscard]] bool blocked(TimePoint now) const { return now < blocked_until_; }
    [[nodiscard]] std::uint64_t failures(OpenFailure failure) const {
        return failures_[static_cast<std::size_t>(failure)];
    }

private:
    struct Count {
        unsigned opening = 0;
        unsigned open = 0;
        [[nodiscard]] unsigned held() const { return opening + open; }
    };
    struct Account {
        AccountOptions options;
        LearntAccount learnt;
        Count count;
        Ceiling ceiling;
        Backoff backoff{50ms, 5s};
    };

    [[nodiscard]] const Account& of(AccountId account) const;
    [[nodiscard]] Account& of(AccountId account);
    [[nodiscard]] unsigned left_by_server() const;  // REQUIRES: max_connections is known
    [[nodiscard]] unsigned base_limit() const;      // without what refusals taught
    [[nodiscard]] unsigned base_limit(const Account& account) const;

    Options options_;
    Learnt learnt_;
    Count total_;
    Ceiling ceiling_;
    Backoff reach_{50ms, 500ms};
    TimePoint blocked_until_{};
    Jitter jitter_;
    std::array<std::uint64_t, kOpenFailures> failures_{};
    std::vector<Account> accounts_;
};

}  // namespace tidegate::budget
