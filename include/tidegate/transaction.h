// A transaction as a scope: it is rolled back unless it was committed.
//
//     auto transaction = lease.begin();
//     if (!transaction) return std::unexpected(transaction.error());
//     if (auto paid = lease.execute("UPDATE account SET balance = balance - ? WHERE id = ?", 5, from); !paid)
//         return std::unexpected(paid.error());      // rolled back here
//     ..
//     return transaction->commit();
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <tidegate/detail/hold.h>
#include <tidegate/error.h>

namespace tidegate {

class Lease;

enum class Isolation : std::uint8_t { read_uncommitted, read_committed, repeatable_read, serializable };

struct TransactionOptions {
    std::optional<Isolation> isolation{};  // nullopt: the session's
    bool read_only = false;
};

// Begun by Lease::begin(). Moves, does not copy. One thread at a time, the one that uses the lease. It may outlive its
// lease, but not usefully: giving the lease back rolls it back.
class Transaction {
public:
    Transaction(Transaction&& other) noexcept : hold_(std::exchange(other.hold_, {})) {}
    Transaction& operator=(Transaction&& other) noexcept;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();  // rolls back, if it is still open

    // Ends it, well. Errors: the server's (then it is rolled back), 2006 when its lease was given back meanwhile (then
    // it was rolled back), 2013 when the connection ended before the answer came: whether it was committed is not
    // known.
    [[nodiscard]] Result<void> commit();

    // Ends it without effect. When the connection is lost on the way the server does the same, so that is no error.
    Result<void> rollback();

    // Neither committed nor rolled back yet. (The server may have ended it: DDL commits, a deadlock rolls back.)
    [[nodiscard]] bool open() const { return hold_.valid(); }

private:
    friend class Lease;
    explicit Transaction(detail::Hold hold) : hold_(std::move(hold)) {}

    detail::Hold hold_;  // of the lease's connection, until the transaction has ended
};

}  // namespace tidegate
