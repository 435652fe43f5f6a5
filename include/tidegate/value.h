// What a result's cell holds, and how it is read as a C++ type.
//
// A Value has one of five shapes, decided by the column's type and not by the protocol that it came over:
//
//     NULL                                       std::monostate
//     TINYINT .. BIGINT, YEAR                    std::int64_t
//     the same, UNSIGNED; BIT                    std::uint64_t
//     FLOAT, DOUBLE                              double
//     everything else                            std::string_view: characters are UTF-8; DECIMAL, DATE, TIME, DATETIME
//                                                and TIMESTAMP as the server writes them, BLOBs as they are
//
// read_value<T>() makes a T of it, exactly or not at all: what does not fit is an Error and never a guess.
//
//     bool                       a number: false is 0
//     any integer                a number within its range, or its decimal digits as text
//     float, double              any number, or its text
//     std::string                text and blobs as they are, numbers as text
//     std::string_view           text and blobs; the characters belong to the result (see Rows)
//     std::vector<std::byte>     text and blobs
//     std::chrono::sys_time<std::chrono::microseconds>   DATETIME, TIMESTAMP, DATE; taken for UTC: what the server
//     writes
//                                                        depends on the session's time_zone, which is not looked at
//     std::chrono::year_month_day                        DATE, DATETIME, TIMESTAMP; 0000-00-00 is no date: an Error
//     std::chrono::microseconds                          TIME, also negative and over 24 hours
//     std::optional<T>           T, and nullopt for NULL, which is an Error for every other type
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <tidegate/error.h>

namespace tidegate {

using Value = std::variant<std::monostate, std::int64_t, std::uint64_t, double, std::string_view>;

// A point in time with the precision of DATETIME(6).
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

namespace detail {

// Each gives false where the value is no such thing.
[[nodiscard]] bool read(const Value& value, bool& out);
[[nodiscard]] bool read(const Value& value, std::int64_t& out);
[[nodiscard]] bool read(const Value& value, std::uint64_t& out);
[[nodiscard]] bool read(const Value& value, double& out);
[[nodiscard]] bool read(const Value& value, std::string& out);
[[nodiscard]] bool read(const Value& value, std::string_view& out);
[[nodiscard]] bool read(const Value& value, std::vector<std::byte>& out);
[[nodiscard]] bool read(const Value& value, Timestamp& out);
[[nodiscard]] bool read(const Value& value, std::chrono::year_month_day& out);
[[nodiscard]] bool read(const Value& value, std::chrono::microseconds& out);

template <std::integral T>
    requires(!std::same_as<T, bool>)
[[nodiscard]] bool read(const Value& value, T& out) {
    std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide = 0;
    if (!read(value, wide) || !std::in_range<T>(wide)) return false;
    out = static_cast<T>(wide);
    return true;
}

[[nodiscard]] inline bool read(const Value& value, float& out) {
    double wide = 0;
    if (!read(value, wide)) return false;
    out = static_cast<float>(wide);
    return true;
}

// The sentences; `column` is the column's name.
[[nodiscard]] Error null_error(std::string_view column);
[[nodiscard]] Error value_error(const Value& value, std::string_view column);

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace detail

// The value as a T; `column` is for the sentence when it is none. Thread-safe: it reads its arguments.
template <class T>
[[nodiscard]] Result<T> read_value(const Value& value, std::string_view column) {
    const bool null = std::holds_alternative<std::monostate>(value);
    if constexpr (detail::is_optional<T>) {
        if (null) return T();
        auto inner = read_value<typename T::value_type>(value, column);
        if (!inner) return std::unexpected(std::move(inner.error()));
        return T(std::move(*inner));
    } else {
        if (null) return std::unexpected(detail::null_error(column));
        T out{};
        if (!detail::read(value, out)) return std::unexpected(detail::value_error(value, column));
        return out;
    }
}

}  // namespace tidegate
