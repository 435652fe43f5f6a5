// After how long the server ends a connection that sleeps: too late, or too early.
#include <fmt/core.h>

#include <algorithm>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"
#include "watch/holders.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::uint64_t kLong = 3600;
constexpr std::uint64_t kShort = 60;
constexpr std::uint64_t kProposed = 600;
constexpr std::size_t kSleepers = 5;

std::string in_words(std::uint64_t time) {
    return words_of(std::chrono::seconds(time));
}

// Past this a connection has slept longer than the doctor would let it.
std::uint64_t proposed(const Looks& looks) {
    return std::max(kProposed, 2 * static_cast<std::uint64_t>(seconds(looks.max_idle)));
}

}  // namespace

std::optional<Finding> idle_timeout_too_long(const Looks& looks) {
    const auto wait = looks.setting("wait_timeout");
    const auto interactive = looks.setting("interactive_timeout");
    const auto better = proposed(looks);
    if (wait < kLong && interactive < kLong) return std::nullopt;

    Finding finding;
    const auto idle = looks.idle();
    const double of_limit = share(static_cast<double>(idle), static_cast<double>(looks.limit()));
    finding.severity = idle >= kSleepers && of_limit >= 0.1 ? Severity::attention : Severity::info;
    finding.title = "The server lets connections sleep for " + in_words(std::max(wait, interactive));
    finding.evidence = {
        fmt::format("wait_timeout = {} s ({}), interactive_timeout = {} s ({}){}", wait, in_words(wait), interactive,
                    in_words(interactive), wait == 28800 ? "; 28800 is the default" : ""),
        fmt::format("{} asleep for {} or longer now, {} of the limit of {}", count_of(idle, "connection"),
                    words_of(looks.max_idle), percent(static_cast<double>(idle), static_cast<double>(looks.limit())),
                    looks.limit())};
    finding.reason =
        "What a program that crashed behind a network, or one that forgot to close, leaves behind is held "
        "until this time is over.";
    if (wait >= kLong) finding.changes.push_back(set_global(looks, "wait_timeout", better));
    if (interactive >= kLong) finding.changes.push_back(set_global(looks, "interactive_timeout", better));
    finding.steps = {
        "connections that are open keep the time that they began with: end them, or restart their "
        "programs"};
    finding.cost = fmt::format(
        "A program that sleeps for more than {} between two statements finds its connection closed "
        "(2006) and must connect again; its temporary tables and locks are gone, as after any end.",
        in_words(better));
    return finding;
}

std::optional<Finding> idle_timeout_too_short(const Looks& looks) {
    const auto wait = looks.setting("wait_timeout");
    if (wait == 0 || wait >= kShort) return std::nullopt;
    const auto aborted = looks.count("Aborted_clients");
    const double of_all = share(static_cast<double>(aborted), static_cast<double>(looks.count("Connections")));
    Finding finding;
    const bool cuts_off = aborted >= 20 && of_all >= 0.05;
    finding.severity = cuts_off ? Severity::attention : Severity::info;
    finding.title = "The server ends connections that have slept for only " + in_words(wait);
    finding.evidence = {
        fmt::format("wait_timeout = {} s", wait),
        fmt::format("{} of {} connections since start were ended without the client's goodbye ({})", aborted,
                    looks.count("Connections"),
                    percent(static_cast<double>(aborted), static_cast<double>(looks.count("Connections"))))};
    finding.reason =
        "A worker that thinks for longer than this between two statements loses its connection (2006, 2013), and a "
        "pool hands out connections that are dead.";
    finding.changes.push_back(set_global(looks, "wait_timeout", 300));
    finding.cost = "Connections that are left behind are held for up to 5 minutes.";
    return finding;
}

}  // namespace tidegate::watch::doctor
