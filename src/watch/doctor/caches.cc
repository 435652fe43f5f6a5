// What the server keeps ready for those who connect: threads, places in the queue, file descriptors, open tables.
#include <fmt/core.h>

#include <algorithm>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::uint64_t kManyLogins = 50;    // fewer tell nothing
constexpr double kManyThreads = 0.2;         // threads made in a second, that need not be
constexpr std::uint64_t kSmallBackLog = 50;  // what a burst of logins fills in a moment
constexpr double kManyOpened = 1.0;          // tables opened anew in a second

// Threads that were made although one of that many had ended before.
std::uint64_t needless_threads(const Looks& looks) {
    const auto created = looks.count("Threads_created");
    const auto needed = std::max<std::uint64_t>(1, looks.count("Max_used_connections"));
    return created > needed ? created - needed : 0;
}

std::uint64_t default_back_log(const Looks& looks) {
    if (looks.second.flavour == Flavour::mysql) return std::min<std::uint64_t>(looks.limit(), 65535);
    return std::min<std::uint64_t>(900, 50 + looks.limit() / 5);
}

// What connections and tables may open: a table's file and its index's for each entry of the cache.
std::uint64_t files_needed(const Looks& looks) {
    return 10 + looks.limit() + 2 * looks.setting("table_open_cache");
}

}  // namespace

std::optional<Finding> thread_cache_too_small(const Looks& looks) {
    const auto handling = looks.second.text("thread_handling");
    if (!handling.empty() && handling != "one-thread-per-connection") return std::nullopt;  // a pool of threads
    if (!looks.has_setting("thread_cache_size")) return std::nullopt;
    const auto size = looks.setting("thread_cache_size");
    const auto logins = looks.count("Connections");
    const auto needless = needless_threads(looks);
    const double missed = share(static_cast<double>(needless), static_cast<double>(logins));
    const double pace = std::max(static_cast<double>(needless) / looks.uptime(), looks.rate("Threads_created"));
    const bool busy = logins >= kManyLogins && missed >= 0.1 && pace >= kManyThreads;
    if (size > 0 && !busy) return std::nullopt;

    Finding finding;
    finding.severity = busy ? Severity::attention : Severity::info;
    finding.title =
        size == 0 ? "The server makes a new thread for every login" : "The server makes threads that it has just ended";
    finding.evidence = {
        fmt::format("thread_cache_size = {}", size),
        fmt::format("{} threads made for {} logins; the peak was {} at once, so {} were needless ({})",
                    looks.count("Threads_created"), logins, looks.count("Max_used_connections"), needless,
                    percent(static_cast<double>(needless), static_cast<double>(logins))),
        fmt::format("{} since start, {} between the two looks", per_second(looks.mean_rate("Threads_created")),
                    per_second(looks.rate("Threads_created")))};
    finding.reason = "A new thread for each login makes logging in slower, the more the shorter programs live.";
    const auto peak = std::max(looks.count("Max_used_connections"), looks.connected());
    const auto better = std::clamp<std::uint64_t>(rounded_up(static_cast<double>(peak), 8), 16, 256);
    if (better > size) finding.changes.push_back(set_global(looks, "thread_cache_size", better));
    if (!looks.gate) finding.steps.emplace_back("or log in less often: a pool in the program, or tidegate serve");
    finding.cost = "Some 100 KB for each thread that is kept.";
    return finding;
}

std::optional<Finding> back_log_too_small(const Looks& looks) {
    const auto size = looks.setting("back_log");
    if (size == 0) return std::nullopt;
    const auto proper = default_back_log(looks);
    const auto somaxconn = looks.machine.somaxconn;
    const auto effective = somaxconn ? std::min(size, *somaxconn) : size;
    const auto overflows = looks.machine.listen_overflows - looks.machine.listen_overflows_before;
    const bool too_small = effective < std::min(kSmallBackLog, proper);
    if (!too_small && !(overflows > 0 && effective < proper)) return std::nullopt;

    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "Few programs may connect in the same moment";
    finding.evidence = {
        fmt::format("back_log = {}; {} would be usual for max_connections = {}", size, proper, looks.limit())};
    if (somaxconn)
        finding.evidence.push_back(fmt::format("net.core.somaxconn = {}: the smaller of both holds", *somaxconn));
    if (overflows > 0) {
        finding.evidence.push_back(
            fmt::format("{} found a full queue on this host between the two looks (all servers "
                        "of this host together)",
                        count_of(overflows, "connection")));
    }
    finding.reason =
        "Who connects while the queue is full waits a second or more for its second try, or gets an error: at a "
        "burst (cron at the full minute, workers started together) logins fail although the server has room.";
    if (size < proper) finding.changes.push_back(at_restart(looks, "back_log", std::to_string(proper)));
    if (somaxconn && *somaxconn < proper)
        finding.steps.push_back(fmt::format("sysctl -w net.core.somaxconn={}   (and in /etc/sysctl.d)",
                                            std::max<std::uint64_t>(4096, proper)));
    finding.steps.emplace_back("start workers at a pace: tidegate run --batch 150 --batch-delay 2s");
    finding.cost = "Next to nothing; it takes a restart of the server.";
    return finding;
}

std::optional<Finding> open_files_too_few(const Looks& looks) {
    const auto limit = looks.setting("open_files_limit");
    if (limit == 0) return std::nullopt;
    const auto open = looks.count("Open_files");
    const auto needed = files_needed(looks);
    const bool used_up = share(static_cast<double>(open), static_cast<double>(limit)) >= 0.85;
    const bool hardly_for_connections = limit < looks.limit() + 100;
    if (!used_up && !hardly_for_connections) return std::nullopt;

    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "The server may open too few files";
    finding.evidence = {fmt::format("open_files_limit = {}, {} open now ({})", limit, open,
                                    percent(static_cast<double>(open), static_cast<double>(limit))),
                        fmt::format("10 + max_connections {} + 2 x table_open_cache {} = {}", looks.limit(),
                                    looks.setting("table_open_cache"), needed)};
    finding.reason =
        "Each connection takes a descriptor and each open table one or two; when they are used up, logins and "
        "statements fail (errno 24, Too many open files), whatever max_connections says.";
    const auto better = std::max(rounded_up(static_cast<double>(2 * needed), 1024), 2 * limit);
    finding.changes.push_back(at_restart(looks, "open_files_limit", std::to_string(better)));
    finding.steps = {
        fmt::format("under systemd: systemctl edit mariadb (or mysql), with LimitNOFILE={} under [Service]; "
                    "then systemctl restart it",
                    better)};
    finding.cost = "Nothing but the restart.";
    return finding;
}

std::optional<Finding> table_cache_too_small(const Looks& looks) {
    const auto size = looks.setting("table_open_cache");
    const auto overflows = looks.count("Table_open_cache_overflows");
    if (size == 0 || overflows == 0) return std::nullopt;
    const auto misses = looks.count("Table_open_cache_misses");
    const auto asked = looks.count("Table_open_cache_hits") + misses;
    const double missed = share(static_cast<double>(misses), static_cast<double>(asked));
    const double pace =
        std::max(looks.rate("Table_open_cache_overflows"), looks.mean_rate("Table_open_cache_overflows"));
    const bool busy = asked >= 500 && missed >= 0.05 && pace >= kManyOpened;
    const bool tiny = size < looks.count("Max_used_connections") && pace >= kManyOpened;
    if (!busy && !tiny) return std::nullopt;

    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "Tables are closed and opened anew all the time";
    finding.evidence = {
        fmt::format("table_open_cache = {}, max_connections = {} (peak {})", size, looks.limit(),
                    looks.count("Max_used_connections")),
        fmt::format("{} of {} times a table had to be opened anew ({}), {} times one was closed for want of room",
                    misses, asked, percent(static_cast<double>(misses), static_cast<double>(asked)), overflows),
        fmt::format("tables opened: {} since start, {} between the two looks",
                    per_second(looks.mean_rate("Opened_tables")), per_second(looks.rate("Opened_tables")))};
    finding.reason =
        "Each connection takes an entry for each table that its statement uses. With too few, statements take longer, "
        "and "
        "so each holds its connection longer.";
    const auto peak = std::max(looks.count("Max_used_connections"), looks.connected());
    const auto better = std::max({std::uint64_t{2000}, 2 * size, rounded_up(4.0 * static_cast<double>(peak), 100)});
    finding.changes.push_back(set_global(looks, "table_open_cache", better));
    const auto files = 10 + looks.limit() + 2 * better;
    if (files > looks.setting("open_files_limit"))
        finding.changes.push_back(
            at_restart(looks, "open_files_limit", std::to_string(rounded_up(static_cast<double>(files), 1024))));
    finding.cost = "Some 4 to 20 KB of memory, and a file descriptor or two, for each table that is kept open.";
    return finding;
}

}  // namespace tidegate::watch::doctor
