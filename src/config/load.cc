#include "config/load.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "config/checks.h"
#include "config/sections.h"
#include "config/values.h"

namespace tidegate::config {
namespace {

constexpr std::string_view kNoServer =
    "no server is named; say --server mysql://user:password@host:3306, or set DB_HOST, or write `url` under [server] "
    "in "
    "tidegate.toml";

void say(std::vector<Problem>& problems, std::string message) {
    problems.push_back({.message = std::move(message)});
}

void apply_limit(std::string_view name, std::string_view text, Config& config, std::vector<Problem>& problems) {
    if (text == "auto") {
        config.budget.max_connections.reset();
        return;
    }
    const auto limit = parse_unsigned(text);
    if (limit && *limit >= 1 && *limit <= 100'000)
        config.budget.max_connections = limit;
    else
        say(problems, fmt::format("{} must be a number between 1 and 100000, or auto", name));
}

void apply_endpoint(std::string_view name, std::string_view text, std::optional<Endpoint>& to,
                    std::vector<Problem>& problems) {
    auto endpoint = parse_endpoint(text);
    if (endpoint)
        to = std::move(*endpoint);
    else
        say(problems, fmt::format("{} {}", name, endpoint.error().message));
}

void apply_flags(const Flags& flags, Config& config, std::vector<Problem>& problems) {
    if (!flags.listen.empty()) apply_endpoint("--listen", flags.listen, config.listen.address, problems);
    if (flags.api == "off")
        config.api.address.reset();
    else if (!flags.api.empty())
        apply_endpoint("--api", flags.api, config.api.address, problems);
    if (!flags.max_connections.empty()) apply_limit("--max-connections", flags.max_connections, config, problems);
    if (is_log_level(flags.log_level))
        config.log.level = flags.log_level;
    else if (!flags.log_level.empty())
        say(problems, "--log-level must be one of trace, debug, info, warn, error and off");
    if (const auto format = parse_log_format(flags.log_format))
        config.log.format = *format;
    else if (!flags.log_format.empty())
        say(problems, "--log-format must be text or json");
}

ServerSource source_of_flag(const Flags& flags, std::vector<Problem>& problems) {
    ServerSource source;
    source.name = "--server";
    if (flags.server.empty()) return source;
    auto url = parse_server_url(flags.server);
    if (url) return source_of("--server", std::move(*url));
    say(problems, fmt::format("--server: {}", url.error().message));
    return source;
}

// The environment with what `.env` adds to it, as the libraries that applications use have it.
Environment with_dot_env(const Inputs& inputs) {
    std::vector<std::pair<std::string, std::string>> values;
    if (!inputs.dot_env.empty()) {
        if (auto file = inputs.read(inputs.dot_env)) values = parse_dot_env(file->text);
    }
    return [environment = inputs.environment, values = std::move(values)](std::string_view name) {
        if (auto value = environment(name)) return value;
        const auto last = std::find_if(values.rbegin(), values.rend(), [&](const auto& v) { return v.first == name; });
        return last != values.rend() ? std::optional(last->second) : std::nullopt;
    };
}

ServerSource source_of_my_cnf(const Inputs& inputs, std::vector<Problem>& problems) {
    if (!inputs.my_cnf.empty()) {
        if (auto file = inputs.read(inputs.my_cnf)) return source_of_option_file(inputs.my_cnf, file->text, problems);
    }
    return {};
}

// The file's own part; false: there is no point in looking for a server.
bool read_config_file(const Inputs& inputs, Report& report, Config& config, ServerSource& source) {
    if (inputs.config_file.empty()) return true;
    config.file = inputs.config_file;
    source.name = inputs.config_file;
    auto file = inputs.read(inputs.config_file);
    if (!file) {
        report.problem(fmt::format("cannot be read: {}", file.error().message));
        return false;
    }
    read_sections(file->text, inputs.read, report, config, source);
    if (file->open_to_all && report.has_password) {
        report.warnings.push_back(
            {inputs.config_file, 0, 0,
             fmt::format("has passwords in it and every user of this machine can read it; chmod 600 {}",
                         inputs.config_file)});
    }
    return report.problems.empty();
}

// The file from top to bottom, then what stands nowhere, in the order in which it was found.
std::vector<Problem> in_reading_order(std::vector<Problem> problems) {
    std::multimap<std::tuple<bool, unsigned, unsigned>, Problem> ordered;
    for (auto& p : problems) ordered.emplace(std::tuple(p.line == 0, p.line, p.column), std::move(p));
    problems.clear();
    for (auto& [place, p] : ordered) problems.push_back(std::move(p));
    return problems;
}

}  // namespace

std::expected<Loaded, std::vector<Problem>> load(const Inputs& inputs) {
    Loaded loaded;
    Config& config = loaded.config;
    Report report(inputs.config_file);
    auto& problems = report.problems;

    ServerSource from_file;
    const bool file_is_good = read_config_file(inputs, report, config, from_file);
    rank_classes(config, report);

    const auto environment = with_dot_env(inputs);
    std::array<ServerSource, 4> sources{source_of_flag(inputs.flags, problems),
                                        source_of_environment("the environment", environment, problems),
                                        std::move(from_file), source_of_my_cnf(inputs, problems)};
    for (const auto* name : {"DB_HOST", "DB_SOCKET", "DB_PORT"}) {
        if (inputs.environment(name)) break;
        if (environment(name)) sources[1].name = inputs.dot_env;
    }
    if (const auto limit = environment("DB_CONNECTION_LIMIT"); limit && !limit->empty()) {
        apply_limit("DB_CONNECTION_LIMIT", *limit, config, problems);
    }
    apply_flags(inputs.flags, config, problems);
    if (file_is_good) check_file(config, report);

    const auto from = choose_server(sources, config.listen.address, config.server);
    if (from)
        check_server(config, report);
    else if (problems.empty() && !inputs.server_may_be_missing)
        say(problems, std::string(kNoServer));
    if (!problems.empty()) return std::unexpected(in_reading_order(std::move(problems)));
    loaded.server_from = from.value_or("the default");
    loaded.warnings = std::move(report.warnings);
    return loaded;
}

std::expected<Slots, std::vector<Problem>> load_slots(const Inputs& inputs) {
    Config config;
    Report report(inputs.config_file);
    ServerSource unused;
    read_config_file(inputs, report, config, unused);
    const auto limit = with_dot_env(inputs)("DB_CONNECTION_LIMIT");
    if (limit && !limit->empty()) {
        const auto number = parse_unsigned(*limit);
        if (number && *number >= 1 && *number <= 65536) {
            config.slots.max = number;
            config.slots.max_given = true;
        } else if (*limit != "auto") {
            say(report.problems, "DB_CONNECTION_LIMIT must be a number between 1 and 65536, or auto");
        }
    }
    if (!report.problems.empty()) return std::unexpected(in_reading_order(std::move(report.problems)));
    return config.slots;
}

}  // namespace tidegate::config
