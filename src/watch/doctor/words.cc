#include "watch/doctor/words.h"

#include <fmt/core.h>

#include <cmath>

namespace tidegate::watch::doctor {
namespace {

std::string in_quotes(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') quoted += c;
        quoted += c;
    }
    return quoted + "'";
}

}  // namespace

std::string_view name_of(Severity severity) {
    switch (severity) {
        case Severity::info:
            return "info";
        case Severity::attention:
            return "attention";
        case Severity::critical:
            break;
    }
    return "critical";
}

double share(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

std::string percent(double part, double whole) {
    return fmt::format("{:.1f} %", 100 * share(part, whole));
}

std::string count_of(std::uint64_t n, std::string_view noun) {
    return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::string per_second(double rate) {
    if (rate >= 10) return fmt::format("{:.0f} per second", rate);
    if (rate >= 0.1) return fmt::format("{:.1f} per second", rate);
    if (rate * 60 >= 1) return fmt::format("{:.1f} per minute", rate * 60);
    return fmt::format("{:.1f} per hour", rate * 3600);
}

std::string size_of(std::uint64_t bytes) {
    constexpr double kKilo = 1024;
    const auto value = static_cast<double>(bytes);
    if (value < kKilo * kKilo) return fmt::format("{:.0f} KB", value / kKilo);
    if (value < kKilo * kKilo * kKilo) return fmt::format("{:.1f} MB", value / (kKilo * kKilo));
    return fmt::format("{:.1f} GB", value / (kKilo * kKilo * kKilo));
}

std::uint64_t rounded_up(double value, std::uint64_t step) {
    return static_cast<std::uint64_t>(std::ceil(value / static_cast<double>(step))) * step;
}

std::string quoted(const Account& account) {
    return in_quotes(account.user) + "@" + in_quotes(account.host);
}

Change set_global(const Looks& looks, std::string_view variable, std::uint64_t value) {
    const auto now = looks.second.text(variable);
    return {.what = std::string(variable),
            .statement = fmt::format("SET GLOBAL {} = {};", variable, value),
            .undo = fmt::format("SET GLOBAL {} = {};", variable, now),
            .option = fmt::format("{} = {}", variable, value),
            .option_undo = fmt::format("{} = {}", variable, now)};
}

Change at_restart(const Looks& looks, std::string_view variable, std::string_view value) {
    return {.what = std::string(variable),
            .statement = "",
            .undo = "",
            .option = fmt::format("{} = {}", variable, value),
            .option_undo = fmt::format("{} = {}", variable, looks.second.text(variable))};
}

Change limit_account(const Account& account, std::uint64_t connections) {
    const auto name = quoted(account);
    return {.what = name,
            .statement = fmt::format("ALTER USER {} WITH MAX_USER_CONNECTIONS {};", name, connections),
            .undo = fmt::format("ALTER USER {} WITH MAX_USER_CONNECTIONS {};", name, account.max_user_connections),
            .option = "",
            .option_undo = ""};
}

}  // namespace tidegate::watch::doctor
