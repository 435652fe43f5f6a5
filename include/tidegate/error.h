// Errors as values: nothing in this library throws on the way of a statement (only running out of memory does).
//
// An Error has what the server or Connector/C said, or what the library says in their terms: a MySQL error number, an
// SQLSTATE, and a sentence for the person who reads it. A password is in none of them.
//
//     auto rows = lease->query("SELECT 1");
//     if (!rows) std::cerr << rows.error().message << '\n';
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace tidegate {

// A plain value. Thread-safe as values are.
struct Error {
    std::uint16_t code = 1105;       // a MySQL error number; 1105 is ER_UNKNOWN_ERROR
    std::string sqlstate = "HY000";  // five characters
    std::string message;             // a whole sentence: what happened, the figures, what to do

    friend bool operator==(const Error&, const Error&) = default;
};

// What nearly everything here returns: a T, or an Error.
template <class T>
using Result = std::expected<T, Error>;

// The numbers that the library itself gives. The server's own come through as they are.
namespace error_code {
inline constexpr std::uint16_t unspecified = 1105;    // a setting that makes no sense, a file that cannot be read
inline constexpr std::uint16_t no_connection = 1040;  // none was free before the deadline; SQLSTATE 08004
inline constexpr std::uint16_t pool_closed = 1053;    // the pool is closed or closing; SQLSTATE 08S01
inline constexpr std::uint16_t interrupted = 1317;    // the caller's stop_token was used; SQLSTATE 70100
inline constexpr std::uint16_t gone = 2006;           // the lease holds no living connection (any more)
inline constexpr std::uint16_t lost = 2013;           // the connection ended while a statement was under way
inline constexpr std::uint16_t out_of_sync = 2014;    // another result is still being streamed
inline constexpr std::uint16_t parameters = 2034;     // more or fewer parameters than question marks
inline constexpr std::uint16_t no_column = 1054;      // a row has no column of that name or position; SQLSTATE 42S22
inline constexpr std::uint16_t is_null = 1048;        // NULL read into a type that has none; SQLSTATE 22002
inline constexpr std::uint16_t bad_value = 1366;  // the value does not fit the type that was asked for; SQLSTATE 22018
}  // namespace error_code

// The server has no connection for us now, but may have one later: 1040 (Too many connections), 1203
// (max_user_connections), 1226 (the account's own limit).
[[nodiscard]] bool is_refusal(const Error& error);

// The connection is gone: 2002, 2003, 2006, 2013, 2055, and the servers' own 1053, 1927, 4031. Whether a statement that
// was under way took effect is not known.
[[nodiscard]] bool is_connection_lost(const Error& error);

// The transaction may simply be run again from its start: 1213 (deadlock; the server has rolled it back), 1205 (a lock
// was not to be had in time; roll back first), 1020 (MariaDB: a row has changed since it was read).
[[nodiscard]] bool is_conflict(const Error& error);

}  // namespace tidegate
