// What the doctor says: one thing that is wrong, with its figures, its reason, what mends it and what undoes that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::watch::doctor {

enum class Severity : std::uint8_t { info, attention, critical };
[[nodiscard]] std::string_view name_of(Severity severity);

// One change at the server: at once by a statement, for good by a line in its option file. One of both may be empty.
struct Change {
    std::string what;         // the variable, or the account: no two changes of one script have the same
    std::string statement;    // "SET GLOBAL max_connections = 300;"
    std::string undo;         // the statement that brings back what is there now
    std::string option;       // "max_connections = 300", under [mysqld]
    std::string option_undo;  // "max_connections = 100"
};

struct Finding {
    std::string id;  // as the registry has it (checks.h); docs/checks/ID.md explains it
    Severity severity = Severity::info;
    std::string title{};
    std::vector<std::string> evidence{};  // a sentence each, with figures
    std::string reason{};
    std::vector<Change> changes{};
    std::vector<std::string> steps{};  // what mends it elsewhere: commands and settings, literally
    std::string cost{};                // of mending it
};

}  // namespace tidegate::watch::doctor
