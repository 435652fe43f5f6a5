// Rows as they come, one at a time, for results that should not be in memory as a whole.
//
//     auto rows = lease.stream("SELECT id, body FROM mail WHERE campaign = ?", campaign);
//     if (!rows) return std::unexpected(rows.error());
//     for (;;) {
//         auto row = rows->next();
//         if (!row) return std::unexpected(row.error());   // the rest is lost
//         if (!*row) break;                                // that was the last
//         send((*row)->get<std::string_view>("body"));
//     }
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <tidegate/detail/hold.h>
#include <tidegate/error.h>
#include <tidegate/rows.h>

namespace tidegate {

class Lease;

// A result that is still on its way. While it is, its lease can do nothing else (2014). It must be read to its end, or
// drain()ed: when it is destroyed before that, its connection is closed, since the rest of the result stands in the
// way, and the lease is good for nothing more (2006) unless it can be given another connection. Moves, does not copy.
// One thread at a time, the one that uses the lease.
class RowStream {
public:
    RowStream(RowStream&& other) noexcept : hold_(std::exchange(other.hold_, {})) {}
    RowStream& operator=(RowStream&& other) noexcept;
    RowStream(const RowStream&) = delete;
    RowStream& operator=(const RowStream&) = delete;
    ~RowStream();

    [[nodiscard]] std::span<const Column> columns() const;

    // The next row, nullopt after the last. The row and its strings live until the next call. Errors: 2013 when the
    // connection ends on the way, 2006 when the lease was given back meanwhile.
    [[nodiscard]] Result<std::optional<Row>> next();

    // Reads what is left and throws it away, so that the lease is free again. The count of rows thrown away.
    Result<std::size_t> drain();

private:
    friend class Lease;
    explicit RowStream(detail::Hold hold) : hold_(std::move(hold)) {}

    detail::Hold hold_;  // of the lease's connection, until the end of the result has been read
};

}  // namespace tidegate
