// A connection of the pool, lent to one piece of code. Going out of scope gives it back.
//
//     auto lease = pool.acquire(5s);
//     if (!lease) return std::unexpected(lease.error());
//     auto rows = lease->execute("SELECT name FROM person WHERE id = ?", 7);
//
// A lease is a connection as of its own: nothing of the session that had it before is to be seen (variables, temporary
// tables, locks, an open transaction), and nothing of this one is left behind. The pool finds out by looking at the
// statements and at what the server reports, and resets a connection only when something is there to reset.
//
// Statements: query() for SQL without values, execute() for SQL with ? for each value. Both read the whole result;
// stream() gives the rows as they come. One statement at a time, one result: of a CALL with several result sets the
// first is given, the others are read and dropped. Text is UTF-8 (utf8mb4) both ways. LOAD DATA LOCAL is refused.
//
// Errors of statements are the server's own. What the library adds: 2006 the lease holds no living connection, 2013 it
// ended while the statement was under way (or read_timeout passed), 2014 a stream is still open, 2034 the parameters do
// not match the question marks. A statement is never sent a second time. When the connection is found dead *before* a
// statement was sent, and the session had nothing that would be lost (no transaction, no variables, no temporary
// tables), the lease gets another connection and goes on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tidegate/detail/hold.h>
#include <tidegate/error.h>
#include <tidegate/parameter.h>
#include <tidegate/rows.h>
#include <tidegate/stream.h>
#include <tidegate/transaction.h>

namespace tidegate {

// Made by Pool::acquire(). Moves, does not copy. One thread at a time; it may be handed from one to another. It may
// outlive its pool: the connection is then closed when it is given back.
class Lease {
public:
    Lease() = default;  // holds nothing
    Lease(Lease&& other) noexcept : hold_(std::exchange(other.hold_, {})) {}
    Lease& operator=(Lease&& other) noexcept;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { release(); }

    // Whether it holds a connection (which may have died meanwhile).
    [[nodiscard]] explicit operator bool() const { return hold_.seat != nullptr; }

    // Runs one statement as it is, and reads its whole result. Waits for the server for up to read_timeout at a time.
    Result<Rows> query(std::string_view sql);

    // The same with values. It is a prepared statement: the server keeps the last few texts of each connection prepared
    // (Options::statement_cache), so that a text that is used again costs one round trip.
    template <class... Values>
    Result<Rows> execute(std::string_view sql, const Values&... values) {
        return execute_all(sql, std::array<Parameter, sizeof...(Values)>{Parameter(values)...});
    }
    // The same, for values whose number is known only when the program runs.
    Result<Rows> execute_all(std::string_view sql, std::span<const Parameter> values);

    // The rows as they come; see RowStream for what that asks of the caller.
    template <class... Values>
    Result<RowStream> stream(std::string_view sql, const Values&... values) {
        return stream_all(sql, std::array<Parameter, sizeof...(Values)>{Parameter(values)...});
    }
    Result<RowStream> stream_all(std::string_view sql, std::span<const Parameter> values);

    // Starts a transaction. Errors: the server's; it is not checked whether one is open already (the server would
    // commit that one).
    Result<Transaction> begin(TransactionOptions options = {});

    // Gives the connection back now: an open transaction is rolled back, an open stream ends. Waits for a reset where
    // one is needed, else for nothing. Afterwards the lease holds nothing. Calling it twice is well.
    void release();

    // Gives it back to be closed: for a session in a state that must not be reused.
    void discard();

    // "10.11.6-MariaDB", and what CONNECTION_ID() says (through a gate: the gate's number). REQUIRES: it holds one.
    [[nodiscard]] std::string server_version() const;
    [[nodiscard]] std::uint64_t connection_id() const;

private:
    friend class Pool;
    explicit Lease(detail::Hold hold) : hold_(std::move(hold)) {}

    detail::Hold hold_;
};

}  // namespace tidegate
