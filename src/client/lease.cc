// Lease, Transaction and RowStream: thin handles on a seat of the pool.
#include <fmt/core.h>
#include <tidegate/lease.h>

#include "client/connection.h"
#include "client/pool_shell.h"

namespace tidegate {
namespace {

std::unexpected<Error> holds_nothing() {
    return std::unexpected(Error{error_code::gone, "HY000", "this lease holds no connection: it has been given back"});
}

std::string_view text_of(Isolation isolation) {
    switch (isolation) {
        case Isolation::read_uncommitted:
            return "READ UNCOMMITTED";
        case Isolation::read_committed:
            return "READ COMMITTED";
        case Isolation::repeatable_read:
            return "REPEATABLE READ";
        case Isolation::serializable:
            break;
    }
    return "SERIALIZABLE";
}

}  // namespace

// Lease

Lease& Lease::operator=(Lease&& other) noexcept {
    if (this != &other) {
        release();
        hold_ = std::exchange(other.hold_, {});
    }
    return *this;
}

void Lease::release() {
    if (auto hold = std::exchange(hold_, {}); hold.seat != nullptr) hold.pool->give_back(*hold.seat, true);
}

void Lease::discard() {
    if (auto hold = std::exchange(hold_, {}); hold.seat != nullptr) hold.pool->give_back(*hold.seat, false);
}

Result<Rows> Lease::query(std::string_view sql) {
    if (hold_.seat == nullptr) return holds_nothing();
    auto connection = hold_.pool->connection_of(*hold_.seat);
    if (!connection) return std::unexpected(std::move(connection.error()));
    return (*connection)->query(sql);
}

Result<Rows> Lease::execute_all(std::string_view sql, std::span<const Parameter> values) {
    if (hold_.seat == nullptr) return holds_nothing();
    auto connection = hold_.pool->connection_of(*hold_.seat);
    if (!connection) return std::unexpected(std::move(connection.error()));
    return (*connection)->execute(sql, values);
}

Result<RowStream> Lease::stream_all(std::string_view sql, std::span<const Parameter> values) {
    if (hold_.seat == nullptr) return holds_nothing();
    auto connection = hold_.pool->connection_of(*hold_.seat);
    if (!connection) return std::unexpected(std::move(connection.error()));
    if (auto started = (*connection)->start_stream(sql, values); !started) {
        return std::unexpected(std::move(started.error()));
    }
    return RowStream(hold_);
}

Result<Transaction> Lease::begin(TransactionOptions options) {
    if (options.isolation) {
        auto set = query(fmt::format("SET TRANSACTION ISOLATION LEVEL {}", text_of(*options.isolation)));
        if (!set) return std::unexpected(std::move(set.error()));
    }
    auto begun = query(options.read_only ? "START TRANSACTION READ ONLY" : "START TRANSACTION");
    if (!begun) return std::unexpected(std::move(begun.error()));
    return Transaction(hold_);
}

std::string Lease::server_version() const {
    return hold_.seat->connection->version();
}

std::uint64_t Lease::connection_id() const {
    return hold_.seat->connection->id();
}

// Transaction

Transaction& Transaction::operator=(Transaction&& other) noexcept {
    if (this != &other) {
        (void)rollback();
        hold_ = std::exchange(other.hold_, {});
    }
    return *this;
}

Transaction::~Transaction() {
    (void)rollback();
}

Result<void> Transaction::commit() {
    const auto hold = std::exchange(hold_, {});
    if (!hold.valid()) {
        return fail(error_code::gone, "HY000", "there is nothing to commit: the transaction, or its lease, has ended");
    }
    auto connection = hold.pool->connection_of(*hold.seat);
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto done = (*connection)->query("COMMIT");
    if (done) return {};
    auto error = std::move(done.error());
    if (is_connection_lost(error)) error.message += " (during COMMIT: whether it took effect is not known)";
    return std::unexpected(std::move(error));
}

Result<void> Transaction::rollback() {
    const auto hold = std::exchange(hold_, {});
    if (!hold.valid()) return {};
    auto& connection = *hold.seat->connection;
    if (connection.streaming()) connection.abort();
    if (connection.lost()) return {};  // the server rolls back by itself
    auto done = connection.query("ROLLBACK");
    if (done || connection.lost()) return {};
    return std::unexpected(std::move(done.error()));
}

// RowStream

RowStream& RowStream::operator=(RowStream&& other) noexcept {
    if (this != &other) {
        const RowStream ended(std::move(*this));
        hold_ = std::exchange(other.hold_, {});
    }
    return *this;
}

RowStream::~RowStream() {
    if (!hold_.valid()) return;
    auto& connection = *hold_.seat->connection;
    if (connection.streaming()) connection.abort();
}

std::span<const Column> RowStream::columns() const {
    return hold_.valid() ? hold_.seat->connection->stream_columns() : std::span<const Column>();
}

Result<std::optional<Row>> RowStream::next() {
    if (!hold_.valid()) {
        return fail(error_code::gone, "HY000", "the stream has ended: its lease has been given back");
    }
    auto& seat = *hold_.seat;
    auto more = seat.connection->fetch(seat.row);
    if (!more) return std::unexpected(std::move(more.error()));
    if (!*more) return std::nullopt;
    return Row(seat.connection->stream_columns(), seat.row);
}

Result<std::size_t> RowStream::drain() {
    for (std::size_t count = 0;; ++count) {
        auto row = next();
        if (!row) return std::unexpected(std::move(row.error()));
        if (!*row) return count;
    }
}

}  // namespace tidegate
