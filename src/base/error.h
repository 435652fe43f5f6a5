// The one error type: what MySQL calls it (number, SQLSTATE) and a sentence for the person who reads it.
// Inside the program errors travel as values; nothing throws once the program runs.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace tidegate {

struct Error {
    std::uint16_t code = 1105;       // a MySQL error number; 1105 is ER_UNKNOWN_ERROR
    std::string sqlstate = "HY000";  // five characters
    std::string message;             // a whole sentence: what happened, the figures, what to do

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(std::uint16_t code, std::string sqlstate, std::string message) {
    return std::unexpected(Error{code, std::move(sqlstate), std::move(message)});
}

// An error that has no MySQL number of its own.
[[nodiscard]] inline std::unexpected<Error> fail(std::string message) {
    return std::unexpected(Error{.message = std::move(message)});
}

}  // namespace tidegate
