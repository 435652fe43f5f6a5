// What the doctor says, as text for a person. Pure.
#pragma once

#include <string>
#include <vector>

#include "watch/doctor/finding.h"
#include "watch/doctor/looks.h"

namespace tidegate::watch::doctor {

struct Report {
    std::string server;                // "127.0.0.1:3306"
    std::vector<std::string> failed;   // the ways in that did not work, as sentences
    std::vector<Finding> findings;     // in order of harm
    std::size_t checks = 0;            // that were made
    std::vector<std::string> unknown;  // what could not be checked, and what would show it, as sentences
    bool colour = false;
};

[[nodiscard]] Severity worst(const std::vector<Finding>& findings);  // info where there are none
// "2 critical, 1 attention, 3 to know, by 31 checks".
[[nodiscard]] std::string verdict_of(const Report& report);
[[nodiscard]] std::string text_of(const Report& report, const Looks& looks);

// Words to lines of at most 100 columns; `first` stands before the first, as many blanks before the others.
[[nodiscard]] std::string wrapped(const std::string& text, const std::string& first);

}  // namespace tidegate::watch::doctor
