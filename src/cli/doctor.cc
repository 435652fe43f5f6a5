// `tidegate doctor`: looks at the server twice and says what is wrong, in order of harm.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/commands.h"
#include "cli/doctor_options.h"
#include "cli/way_in.h"
#include "config/values.h"
#include "watch/doctor/checks.h"
#include "watch/doctor/machine.h"
#include "watch/doctor/report.h"
#include "watch/doctor/script.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;
using namespace watch::doctor;

int complain(int code, const std::string& sentence) {
    fmt::print(stderr, "tidegate: {}\n", sentence);
    return code;
}

struct Times {
    Duration look{};
    Duration max_idle{};
    std::optional<std::uint64_t> memory;
};

std::expected<Times, int> times_of(const DoctorOptions& options) {
    Times times;
    const auto look = config::parse_duration(options.look);
    if (!look || *look < 100ms || *look > 1h)
        return std::unexpected(complain(kUsage, "--look must be a time from 100ms to 1h, such as 5s"));
    const auto idle = config::parse_duration(options.max_idle);
    if (!idle) return std::unexpected(complain(kUsage, "--max-idle must be a time such as 300, 300s or 5m"));
    if (!options.memory.empty()) {
        times.memory = config::parse_size(options.memory);
        if (!times.memory) return std::unexpected(complain(kUsage, "--memory must be a size such as 16G"));
    }
    times.look = *look;
    times.max_idle = *idle;
    return times;
}

std::expected<void, int> check_names(const std::vector<std::string>& names) {
    for (const auto& name : names) {
        if (check_named(name) != nullptr) continue;
        std::vector<std::string_view> ids;
        for (const auto& check : checks()) ids.push_back(check.id);
        const auto meant = config::nearest(name, ids);
        return std::unexpected(complain(kUsage, fmt::format("there is no check \"{}\"{}", name,
                                                            meant.empty() ? "; tidegate doctor --list names them"
                                                                          : fmt::format("; did you mean {}?", meant))));
    }
    return {};
}

int list_checks() {
    for (const auto& check : checks()) fmt::print("{:<24} {}\n", check.id, check.about);
    return kWell;
}

// A number of the status alone; nothing where it cannot be asked.
std::optional<std::uint64_t> ask_status(watch::Session& session, const char* scope, const char* name) {
    const auto table = session.ask(fmt::format("SHOW {} STATUS LIKE '{}'", scope, name));
    if (!table || table->rows.empty()) return std::nullopt;
    return table->number(table->rows.front(), "Value");
}

// How many statements run, again and again until the time is over.
std::vector<double> sample_running(watch::Session& session, Duration time) {
    constexpr Duration kSmallestPause = 100ms;
    const auto end = Clock::now() + time;
    const auto pause = std::max<Duration>(kSmallestPause, time / 50);
    std::vector<double> samples;
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
        if (const auto running = ask_status(session, "GLOBAL", "Threads_running"))
            samples.push_back(static_cast<double>(*running > 0 ? *running - 1 : 0));  // without the one that asks
        std::this_thread::sleep_until(std::min(end, now + pause));
    }
    std::this_thread::sleep_until(end);
    return samples;
}

std::vector<watch::Program> local_programs(const watch::LocalView& view) {
    std::vector<watch::Program> programs;
    for (const auto& holder : view.holders) {
        if (holder.program.pid != view.self) programs.push_back(holder.program);
    }
    return programs;
}

// Those that were there at both looks, as the same process.
void add_lasting_programs(const std::vector<watch::Program>& before, const std::vector<watch::Program>& now,
                          Looks& looks) {
    for (const auto& program : now) {
        const auto was_there = std::ranges::any_of(before, [&](const watch::Program& was) {
            return was.pid == program.pid && was.start_tick == program.start_tick;
        });
        if (!was_there) continue;
        looks.programs.push_back(program);
        if (started_by_cron(program)) looks.by_cron.push_back(program.pid);
    }
}

std::optional<GateSays> ask_gate(WayIn& way) {
    const auto* gate = way.gate();
    if (gate == nullptr) return std::nullopt;
    const auto stats = gate->ask("/api/connection-pool-stats");
    if (!stats) return std::nullopt;
    const auto count = [](const json& of, const char* key) {
        const auto at = of.find(key);
        return at != of.end() && at->is_number() ? at->get<std::uint64_t>() : std::uint64_t{0};
    };
    const auto part = [&](const char* key) { return stats->value(key, json::object()); };
    const auto limit = part("limit");
    const auto waits = part("wait_seconds");
    GateSays says;
    says.version = stats->value("version", "");
    says.limit = static_cast<unsigned>(count(limit, "effective"));
    if (limit.contains("configured") && limit["configured"].is_number())
        says.configured = limit["configured"].get<unsigned>();
    says.reserve = static_cast<unsigned>(count(limit, "reserve"));
    says.peak = static_cast<unsigned>(count(*stats, "peak"));
    says.waiting = count(*stats, "waiting");
    says.granted = count(*stats, "granted");
    says.waited = count(*stats, "waited");
    says.refused_clients = count(*stats, "refused_clients");
    says.refused_by_server = count(part("refused_by_server"), "total");
    says.wait_p99 = waits.value("p99", 0.0);
    if (!way.config().file.empty()) {
        says.wait_timeout = way.config().pool.wait_timeout;
        says.idle_timeout = way.config().pool.idle_timeout;
    }
    return says;
}

// Both looks, and what lies between them.
Result<Looks> look_twice(WayIn& way, const Times& times) {
    Looks looks;
    looks.max_idle = times.max_idle;
    const auto address = way.address();
    const auto machine = look_at_machine();
    const auto before = watch::look_locally(address);
    auto first = way.look();
    if (!first) return std::unexpected(first.error());
    looks.first = std::move(*first);

    const auto own = ask_status(way.session(), "SESSION", "Questions");
    looks.running = sample_running(way.session(), times.look);
    auto second = way.look();
    if (!second) return std::unexpected(second.error());
    looks.second = std::move(*second);
    const auto own_now = ask_status(way.session(), "SESSION", "Questions");
    if (own && own_now && *own_now > *own) looks.own_statements = *own_now - *own;

    const auto now = watch::look_locally(address);
    if (before && now) add_lasting_programs(local_programs(*before), local_programs(*now), looks);
    if (now && now->server_is_here) {
        looks.machine = look_at_machine();
        looks.machine.listen_overflows_before = machine.listen_overflows;
        looks.machine.server_is_here = true;
    }
    if (times.memory) looks.machine.memory = times.memory;
    looks.gate = ask_gate(way);
    return looks;
}

Report report_of(WayIn& way, const Looks& looks, const DoctorOptions& options) {
    Report report;
    report.server = way.server().text();
    for (const auto& attempt : way.failed())
        report.failed.push_back(fmt::format("{}: {} ({})", attempt.way, attempt.error.message, attempt.error.code));
    report.findings = diagnose(looks, options.checks);
    report.checks = options.checks.empty() ? checks().size() : options.checks.size();
    for (const auto& hidden : looks.second.hidden) {
        report.unknown.push_back(
            hidden.grant.empty() ? hidden.what : fmt::format("{}; what shows it: {}", hidden.what, hidden.grant));
    }
    if (!looks.machine.memory) {
        report.unknown.emplace_back(
            "the memory of the server's machine, which is another one; what shows it: tidegate "
            "doctor --memory 16G");
    }
    report.colour = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    return report;
}

json json_of(const Finding& finding) {
    json changes = json::array();
    const auto or_null = [](const std::string& text) { return text.empty() ? json(nullptr) : json(text); };
    for (const auto& change : finding.changes) {
        changes.push_back({{"what", change.what},
                           {"sql", or_null(change.statement)},
                           {"option", or_null(change.option)},
                           {"undo", or_null(change.undo)},
                           {"option_undo", or_null(change.option_undo)}});
    }
    return {{"id", finding.id},
            {"severity", name_of(finding.severity)},
            {"title", finding.title},
            {"evidence", finding.evidence},
            {"reason", finding.reason},
            {"fix", changes},
            {"steps", finding.steps},
            {"cost", finding.cost},
            {"page", fmt::format("docs/checks/{}.md", finding.id)}};
}

json json_of(const Report& report, const Looks& looks) {
    json findings = json::array();
    for (const auto& finding : report.findings) findings.push_back(json_of(finding));
    const auto level = worst(report.findings);
    return {{"server", report.server},       {"version", looks.second.version},
            {"way", looks.second.way},       {"level", level == Severity::info ? "well" : name_of(level)},
            {"verdict", verdict_of(report)}, {"seconds_between_looks", looks.apart()},
            {"checks", report.checks},       {"findings", findings},
            {"unknown", report.unknown}};
}

std::expected<void, int> write_file(const std::string& path, const std::string& text) {
    errno = 0;
    std::ofstream file(path, std::ios::trunc);
    file << text;
    file.close();
    if (file) return {};
    return std::unexpected(complain(kUsage, fmt::format("{} cannot be written: {}", path, std::strerror(errno))));
}

std::expected<void, int> write_script(const Report& report, const Looks& looks, const DoctorOptions& options) {
    const auto script = script_of(report.findings, looks, report.server, options.fix_script);
    if (auto done = write_file(options.fix_script, script.fix); !done) return done;
    if (auto done = write_file(options.fix_script + ".undo", script.undo); !done) return done;
    fmt::print(stderr, "tidegate: {} has {} to read and to run, {}.undo what undoes them; nothing was executed\n",
               options.fix_script, script.changes == 1 ? "1 change" : fmt::format("{} changes", script.changes),
               options.fix_script);
    return {};
}

int exit_code(Severity severity) {
    switch (severity) {
        case Severity::critical:
            return kCritical;
        case Severity::attention:
            return kAttention;
        case Severity::info:
            break;
    }
    return kWell;
}

}  // namespace

int doctor(const DoctorOptions& options) {
    if (options.list) return list_checks();
    const auto times = times_of(options);
    if (!times) return times.error();
    if (const auto known = check_names(options.checks); !known) return known.error();
    auto way = WayIn::prepare(options.server);
    if (!way) return way.error();
    if (const auto in = way->open(); !in) return in.error();
    const auto looks = look_twice(*way, *times);
    if (!looks) return complain(kServerUnreachable, fmt::format("{} ({})", looks.error().message, looks.error().code));

    const auto report = report_of(*way, *looks, options);
    if (options.json)
        fmt::print("{}\n", json_of(report, *looks).dump(2, ' ', false, json::error_handler_t::replace));
    else
        fmt::print("{}", text_of(report, *looks));
    std::fflush(stdout);
    if (!options.fix_script.empty()) {
        if (const auto written = write_script(report, *looks, options); !written) return written.error();
    }
    return exit_code(worst(report.findings));
}

}  // namespace tidegate::cli
