// How the checks put figures and statements into words. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "watch/doctor/finding.h"
#include "watch/doctor/looks.h"

namespace tidegate::watch::doctor {

[[nodiscard]] double share(double part, double whole);                       // 0 where the whole is 0
[[nodiscard]] std::string percent(double part, double whole);                // "85.0 %"
[[nodiscard]] std::string count_of(std::uint64_t n, std::string_view noun);  // "1 connection", "14 connections"
[[nodiscard]] std::string per_second(double rate);                           // "1.5 per second", "3 per hour"
[[nodiscard]] std::string size_of(std::uint64_t bytes);                      // "16 KB", "2.0 MB", "24.1 GB"
[[nodiscard]] std::uint64_t rounded_up(double value, std::uint64_t step);

// An account as ALTER USER wants it written: 'app'@'%'.
[[nodiscard]] std::string quoted(const Account& account);

// SET GLOBAL now and an option for good; the undo is the value that is there now.
[[nodiscard]] Change set_global(const Looks& looks, std::string_view variable, std::uint64_t value);
// A variable that takes a restart.
[[nodiscard]] Change at_restart(const Looks& looks, std::string_view variable, std::string_view value);
// MAX_USER_CONNECTIONS of an account.
[[nodiscard]] Change limit_account(const Account& account, std::uint64_t connections);

}  // namespace tidegate::watch::doctor
