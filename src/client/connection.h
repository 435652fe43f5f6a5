// One connection to the server, as the pool and a lease see it. What the pool does with it is the same whether a server
// is behind it (mysql_connection.h) or a script (the unit tests, the benchmark). One thread at a time.
#pragma once

#include <tidegate/parameter.h>
#include <tidegate/rows.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::client {

class Connection {
public:
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    // Statements. After an error of the connection itself, lost() is true and nothing more is tried.
    virtual Result<Rows> query(std::string_view sql) = 0;
    virtual Result<Rows> execute(std::string_view sql, std::span<const Parameter> values) = 0;

    // A result row by row. While streaming() is true there is more to come, and nothing else can be done.
    virtual Result<void> start_stream(std::string_view sql, std::span<const Parameter> values) = 0;
    [[nodiscard]] virtual bool streaming() const = 0;
    [[nodiscard]] virtual std::span<const Column> stream_columns() const = 0;
    // Into `row`, whose strings live until the next call; false: that was the last, and streaming() has ended.
    virtual Result<bool> fetch(std::vector<Value>& row) = 0;

    // Whether it answers (COM_PING).
    virtual Result<void> ping() = 0;
    // To the state that it had after logging in.
    virtual Result<void> reset() = 0;
    // Ends it at once, without the rest of what is on its way. Afterwards it is lost().
    virtual void abort() = 0;

    [[nodiscard]] virtual bool lost() const = 0;
    // Nothing has come from the server unasked: its end, for example. No round trip.
    [[nodiscard]] virtual bool quiet() const = 0;
    // Something of the session would be seen by the next lease, or be missed on another connection.
    [[nodiscard]] virtual bool dirty() const = 0;
    // What reset() does not remove is on it: it must be closed.
    [[nodiscard]] virtual bool beyond_reset() const = 0;

    [[nodiscard]] virtual std::string version() const = 0;
    [[nodiscard]] virtual std::uint64_t id() const = 0;
};

}  // namespace tidegate::client
