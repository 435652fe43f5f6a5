// What an administrator types at the console, and what command-line clients and drivers ask there by themselves. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::api::console {

struct Statement {
    enum class What : std::uint8_t {
        show,
        select,  // of variables, functions and constants, without a table
        use,
        settle,  // SET, BEGIN, COMMIT, ..: nothing to do for a console
        pause,
        resume,
        reload,
        kill,
    };
    // One expression of a SELECT.
    struct Item {
        enum class Kind : std::uint8_t { variable, function, constant };
        Kind kind = Kind::constant;
        std::string name;    // variable, function: in lower case; constant: its text
        bool null = false;   // the constant NULL
        std::string column;  // its alias, or as it was written
    };

    What what = What::settle;
    std::string name{};                 // show: "POOLS"; use: the schema
    std::optional<std::string> like{};  // show: the pattern
    std::vector<Item> items{};          // select
    std::uint32_t id = 0;               // kill
    bool query_only = false;            // kill
};

// Comments and a semicolon at the end are no part of it. An error says what the console knows. What is shown is not
// looked at here: any words behind SHOW are a name.
[[nodiscard]] Result<Statement> parse(std::string_view text);

// As LIKE of a server does it, without regard to the case of ASCII letters.
[[nodiscard]] bool is_like(std::string_view text, std::string_view pattern);

}  // namespace tidegate::api::console
