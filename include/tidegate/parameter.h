// What may stand for a question mark in execute() and stream(): one value that is sent beside the statement, never
// within its text, so that nothing needs quoting and nothing can be injected.
//
//     lease.execute("INSERT INTO person (name, born, note) VALUES (?, ?, ?)", "Ada", 1815, std::nullopt);
//
// From C++ to SQL: bool and integers as BIGINT (UNSIGNED where they are unsigned), float and double as DOUBLE, strings
// as text (UTF-8), bytes as BLOB, Timestamp as DATETIME(6), year_month_day as DATE, microseconds as TIME(6), nullptr,
// nullopt and an empty optional as NULL. Other types do not compile.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <tidegate/value.h>

namespace tidegate {

// A view: strings and bytes are not copied and must live until execute() or stream() has returned. Temporaries in the
// call do. One thread at a time.
class Parameter {
public:
    using Blob = std::span<const std::byte>;
    using Shape = std::variant<std::monostate, std::int64_t, std::uint64_t, double, std::string_view, Blob, Timestamp,
                               std::chrono::year_month_day, std::chrono::microseconds>;

    // NOLINTBEGIN(google-explicit-constructor): what may be bound is bound by naming it
    Parameter(std::nullptr_t) {}
    Parameter(std::nullopt_t) {}
    template <std::integral T>
        requires(!std::same_as<T, char>)  // a letter or a number? Say which
    Parameter(T number) {
        if constexpr (std::is_signed_v<T> || std::same_as<T, bool>) {
            shape_ = static_cast<std::int64_t>(number);
        } else {
            shape_ = static_cast<std::uint64_t>(number);
        }
    }
    template <std::floating_point T>
    Parameter(T number) : shape_(static_cast<double>(number)) {}
    Parameter(std::string_view text) : shape_(text) {}
    Parameter(const char* text) : shape_(std::string_view(text)) {}
    Parameter(const std::string& text) : shape_(std::string_view(text)) {}
    Parameter(Blob bytes) : shape_(bytes) {}
    Parameter(const std::vector<std::byte>& bytes) : shape_(Blob(bytes)) {}
    template <class Duration>
    Parameter(std::chrono::sys_time<Duration> time) : shape_(std::chrono::floor<std::chrono::microseconds>(time)) {}
    Parameter(std::chrono::year_month_day date) : shape_(date) {}
    template <class Rep, class Period>
    Parameter(std::chrono::duration<Rep, Period> time) : shape_(std::chrono::floor<std::chrono::microseconds>(time)) {}
    template <class T>
    Parameter(const std::optional<T>& value) {
        if (value) *this = Parameter(*value);
    }
    // NOLINTEND(google-explicit-constructor)

    [[nodiscard]] const Shape& shape() const { return shape_; }

private:
    Shape shape_;
};

}  // namespace tidegate
