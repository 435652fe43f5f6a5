// The one error type: what MySQL calls it (number, SQLSTATE) and a sentence for the person who reads it.
// Inside the program errors travel as values; nothing throws once the program runs.
#pragma once

#include <tidegate/error.h>  // Error and Result are the library's too

#include <cstdint>
#include <string>
#include <utility>

namespace tidegate {

[[nodiscard]] inline std::unexpected<Error> fail(std::uint16_t code, std::string sqlstate, std::string message) {
    return std::unexpected(Error{code, std::move(sqlstate), std::move(message)});
}

// An error that has no MySQL number of its own.
[[nodiscard]] inline std::unexpected<Error> fail(std::string message) {
    return std::unexpected(Error{.message = std::move(message)});
}

}  // namespace tidegate
