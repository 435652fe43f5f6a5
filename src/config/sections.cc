#include "config/sections.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "config/keys.h"
#include "config/line_pattern.h"
#include "config/network.h"
#include "config/rules.h"
#include "config/url.h"
#include "config/values.h"

namespace tidegate::config {
namespace {

constexpr unsigned kMostConnections = 100'000;  // what a server can be configured for
constexpr unsigned kMostClients = 1'000'000;
constexpr unsigned kMostWeight = 10'000;
constexpr unsigned kMostPrepared = 100'000;
constexpr std::string_view kModes = "\"transaction\" and \"session\"";

// What reading needs besides the table.
struct Context {
    const ReadFile& read;
    Report& report;
};

// A path in the file is relative to the file's own folder.
std::string resolved(std::string_view path, std::string_view config_file) {
    const auto slash = config_file.rfind('/');
    if (path.starts_with('/') || slash == std::string_view::npos) return std::string(path);
    return fmt::format("{}/{}", config_file.substr(0, slash), path);
}

void read_path(Section& section, std::string_view key, const Context& context, std::string& to) {
    std::string path;
    section.read(key, path);
    if (!path.empty()) to = resolved(path, context.report.file());
}

// The first line of the file that `key` names; nullopt: no such key, or wrong and reported.
std::optional<Secret> read_secret(Section& section, std::string_view key, const Context& context) {
    std::string path;
    read_path(section, key, context, path);
    if (path.empty()) return std::nullopt;
    auto file = context.read(path);
    if (!file) {
        section.wrong(key, fmt::format("names {}, which cannot be read: {}", path, file.error().message));
        return std::nullopt;
    }
    const std::string_view text = file->text;
    const auto line = text.substr(0, text.find_first_of("\r\n"));
    if (file->open_to_all) {
        section.wrong(key,
                      fmt::format("names {}, which every user of this machine can read; chmod 600 {}", path, path));
    } else if (line.empty()) {
        section.wrong(key, fmt::format("names {}, whose first line is empty", path));
    } else {
        return Secret(line);
    }
    return std::nullopt;
}

void read_server(const toml::table& table, const Context& context, Server& server, ServerSource& source) {
    Section section(table, "[server]", context.report);
    std::string text;
    section.read("url", text);
    if (!text.empty()) {
        if (auto url = parse_server_url(text))
            source = source_of(context.report.file(), std::move(*url));
        else
            section.wrong("url", fmt::format("is not good: {}", url.error().message));
    }
    if (source.password) context.report.has_password = true;
    section.read_choice("tls", server.tls, parse_tls_mode,
                        "\"disabled\", \"preferred\", \"required\", \"verify-ca\" and \"verify-identity\"");
    if (section.has("tls") && source.tls && *source.tls != server.tls) {
        section.wrong("tls",
                      fmt::format("says {} and the url says {}; keep one", text_of(server.tls), text_of(*source.tls)));
    }
    read_path(section, "ca", context, server.ca);
    if (!server.ca.empty() && !source.ca.empty()) section.wrong("ca", "is also in the url; keep one");
    auto password = read_secret(section, "password_file", context);
    if (password && source.password) {
        section.wrong("password_file", "and a password in the url cannot both be; keep one");
    } else if (password && source.names_server() && !source.user) {
        section.wrong("password_file", "needs a user in the url: mysql://user@host");
    } else if (password) {
        source.password = std::move(password);
    }
    section.read("connect_timeout", server.connect_timeout, {100ms, 10min});
    section.read("query_timeout", server.query_timeout, {100ms, 24h, true});
    section.read("monitor_interval", server.monitor_interval, {500ms, 1h});
    section.finish();
}

void read_budget(const toml::table& table, const Context& context, Budget& budget) {
    Section section(table, "[budget]", context.report);
    section.read("max_connections", budget.max_connections, 1, kMostConnections);
    section.read("reserve", budget.reserve, 0, kMostConnections);
    section.read("max_per_user", budget.max_per_user, 1, kMostConnections);
    section.read("opening_at_once", budget.opening_at_once, 1, 1000);
    section.finish();
}

void read_listen(const toml::table& table, const Context& context, Listen& listen) {
    Section section(table, "[listen]", context.report);
    section.read("address", listen.address);
    read_path(section, "unix", context, listen.unix_path);
    constexpr std::size_t kLongestSocket = 107;  // sockaddr_un
    if (listen.unix_path.size() > kLongestSocket) {
        section.wrong("unix", fmt::format("is a path of {} bytes; a socket's may have {}", listen.unix_path.size(),
                                          kLongestSocket));
    }
    read_path(section, "tls_cert", context, listen.tls_cert);
    read_path(section, "tls_key", context, listen.tls_key);
    if (listen.tls_cert.empty() != listen.tls_key.empty()) {
        const bool has_cert = !listen.tls_cert.empty();
        section.wrong(has_cert ? "tls_cert" : "tls_key",
                      fmt::format("needs `{}` beside it", has_cert ? "tls_key" : "tls_cert"));
    }
    if (!listen.address && listen.unix_path.empty()) {
        section.wrong("address", "is \"off\" and there is no `unix`; nobody could connect");
    }
    section.read("require_tls", listen.require_tls);
    section.read("console", listen.console);
    section.read("max_clients", listen.max_clients, 1, kMostClients);
    section.read("login_timeout", listen.login_timeout, {100ms, 10min});
    section.read("drain_timeout", listen.drain_timeout, {0s, 24h});
    section.read("max_login_failures", listen.max_login_failures, 0, kMostClients);
    section.read("login_hold_off", listen.login_hold_off, {1s, 24h});
    section.read("proxy_protocol_from", listen.proxy_protocol_from);
    for (const auto& network : listen.proxy_protocol_from) {
        if (!Network::parse(network)) {
            section.wrong("proxy_protocol_from",
                          fmt::format("must list networks such as \"10.0.0.0/8\"; \"{}\" is none", network));
        }
    }
    section.finish();
}

void read_pool(const toml::table& table, const Context& context, Pool& pool) {
    Section section(table, "[pool]", context.report);
    section.read_choice("mode", pool.mode, parse_pool_mode, kModes);
    section.read("idle_timeout", pool.idle_timeout, {1s, 24h});
    section.read("max_age", pool.max_age, {1s, 30 * 24h});
    section.read("wait_timeout", pool.wait_timeout, {1ms, 1h});
    section.read("max_waiting", pool.max_waiting, 0, kMostClients);
    section.read("idle_in_transaction", pool.idle_in_transaction, {100ms, 24h, true});
    section.read("pin_warning", pool.pin_warning, {1s, 24h, true});
    section.read("max_prepared", pool.max_prepared, 1, kMostPrepared);
    section.finish();
}

void read_passthrough(const toml::table& table, const Context& context, Passthrough& passthrough) {
    Section section(table, "[passthrough]", context.report);
    section.read("enabled", passthrough.enabled);
    section.read("proof_expiry", passthrough.proof_expiry, {1s, 24h});
    section.read_choice("rsa", passthrough.rsa, parse_rsa_mode, "\"never\", \"loopback\" and \"always\"");
    section.read("proving_at_once", passthrough.proving_at_once, 1, 1000);
    section.read("proving_per_address", passthrough.proving_per_address, 1, 1000);
    if (section.has("proving_per_address") && passthrough.proving_per_address > passthrough.proving_at_once) {
        section.wrong("proving_per_address",
                      fmt::format("must not be more than `proving_at_once`, {}", passthrough.proving_at_once));
    }
    passthrough.proving_per_address = std::min(passthrough.proving_per_address, passthrough.proving_at_once);
    section.read("allow_empty_password", passthrough.allow_empty_password);
    section.read("allow_remote", passthrough.allow_remote);
    section.finish();
}

// Only the outside: whether it is a hash that the gate understands is seen when it is used.
bool looks_like_hash(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdefABCDEF";
    if (text.starts_with('*')) return text.size() == 41 && text.find_first_not_of(kHex, 1) == std::string_view::npos;
    return text.starts_with("$A$") || text.size() == 43;
}

void read_user(const toml::table& table, const Context& context, Config& config) {
    Section section(table, "[[user]]", context.report);
    User user;
    section.read("name", user.name);
    if (!section.has("name")) section.wrong("name", "is missing; every [[user]] needs one");
    if (!user.name.empty() && config.user(user.name) != nullptr) {
        section.wrong("name", fmt::format("is \"{}\" for a second time; an account is written once", user.name));
    }
    std::string password;
    section.read("password", password);
    if (!password.empty()) {
        user.password = Secret(std::string_view(password));
        context.report.has_password = true;
    }
    auto from_file = read_secret(section, "password_file", context);
    if (from_file) user.password = std::move(from_file);
    section.read("hash", user.hash);
    if (!user.hash.empty() && !looks_like_hash(user.hash)) {
        section.wrong("hash", "must be a hash as mysql.user has it: * and 40 hexadecimal digits, or $A$..");
    }
    if (section.has("password") + section.has("password_file") + section.has("hash") > 1) {
        section.wrong(section.has("hash") ? "hash" : "password_file",
                      "contradicts what stands beside it: of password, password_file and hash an account has one");
    }
    section.read("class", user.class_name);
    if (section.has("class"))
        context.report.note(fmt::format("[[user]] {} class", user.name), table.get("class")->source());
    PoolMode mode{};
    section.read_choice("mode", mode, parse_pool_mode, kModes);
    if (section.has("mode")) user.mode = mode;
    section.read("max_connections", user.max_connections, 1, kMostConnections);
    section.read("guaranteed", user.guaranteed, 0, kMostConnections);
    if (user.max_connections && user.guaranteed > *user.max_connections) {
        section.wrong("guaranteed", fmt::format("is {}, more than its `max_connections`, {}", user.guaranteed,
                                                *user.max_connections));
    }
    section.finish();
    config.users.push_back(std::move(user));
}

void read_match(Section& in, const Context& context, ClassMatch& match) {
    const auto* table = in.table("match");
    if (table == nullptr) return;
    Section section(*table, "match of [[class]]", context.report);
    section.read("user", match.user);
    section.read("address", match.address);
    section.read("program", match.program);
    if (!match.address.empty() && match.address != "local" && !Network::parse(match.address)) {
        section.wrong("address", "must be an address, a network such as \"10.0.0.0/8\", or \"local\"");
    }
    section.finish();
}

void read_class(const toml::table& table, const Context& context, Config& config) {
    Section section(table, "[[class]]", context.report);
    Class c;
    section.read("name", c.name);
    if (!section.has("name")) section.wrong("name", "is missing; every [[class]] needs one");
    if (!c.name.empty() && config.class_named(c.name) != nullptr) {
        section.wrong("name", fmt::format("is \"{}\" for a second time; a class is written once", c.name));
    }
    section.read("weight", c.weight, 1, kMostWeight);
    read_match(section, context, c.match);
    context.report.note(fmt::format("[[class]] {}", c.name), table.source());
    section.finish();
    config.classes.push_back(std::move(c));
}

void read_slots(const toml::table& table, const Context& context, Slots& slots) {
    constexpr unsigned kMostSlots = 65536;  // what a pool's file has room for
    Section section(table, "[slots]", context.report);
    section.read("max", slots.max, 1, kMostSlots);
    slots.max_given = section.has("max");
    section.read("wait_timeout", slots.wait_timeout, {0s, 24h});
    read_path(section, "path", context, slots.path);
    section.finish();
}

void read_fleet(const toml::table& table, const Context& context, Config& config) {
    Section section(table, "[[fleet]]", context.report);
    Fleet fleet;
    section.read("name", fleet.name);
    if (!section.has("name")) {
        section.wrong("name", "is missing; every [[fleet]] needs one");
    } else if (!fleet.name.empty() && !is_plain_name(fleet.name)) {
        section.wrong("name", "must be 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first");
    } else if (!fleet.name.empty() && config.fleet(fleet.name) != nullptr) {
        section.wrong("name", fmt::format("is \"{}\" for a second time; a fleet is written once", fleet.name));
    }
    section.read_command("command", fleet.command);
    if (!section.has("command")) section.wrong("command", "is missing; it is what each worker runs");
    section.read("workers", fleet.workers, 0, kMostWorkers);
    section.read("batch", fleet.batch, 1, kMostWorkers);
    section.read("batch_delay", fleet.batch_delay, {0s, kLongestOfFleets});
    section.read_choice("restart", fleet.restart, parse_restart, "\"always\", \"on-failure\" and \"never\"");
    section.read("max_jobs", fleet.max_jobs, 1, kMostJobs, OrOff{});
    Duration max_time{};
    section.read("max_time", max_time, {100ms, kLongestOfFleets, true});
    if (section.has("max_time")) fleet.max_time = max_time;
    section.read_size("max_rss", fleet.max_rss);
    section.read("stop_timeout", fleet.stop_timeout, {0s, kLongestOfFleets});
    section.read("job_line", fleet.job_line);
    if (!fleet.job_line.empty()) {
        if (const auto pattern = LinePattern::make(fleet.job_line); !pattern)
            section.wrong("job_line", fmt::format("is not good: {}", pattern.error().message));
    }
    section.read("single", fleet.single);
    if (fleet.single.size() > kLongestSingle)
        section.wrong("single", fmt::format("must have at most {} characters", kLongestSingle));
    read_path(section, "logs", context, fleet.logs);
    section.read("prefix", fleet.prefix);
    context.report.note("[[fleet]] " + fleet.name, table.source());
    section.finish();
    config.fleets.push_back(std::move(fleet));
}

void read_kill_rule(const toml::table& table, const Context& context, Config& config) {
    Section section(table, "[[kill]]", context.report);
    KillRule rule;
    section.read("name", rule.name);
    if (!section.has("name"))
        section.wrong("name", "is missing; it is how the log names the rule");
    else if (std::ranges::find(config.kill_rules, rule.name, &KillRule::name) != config.kill_rules.end())
        section.wrong("name", fmt::format("is \"{}\" for a second time", rule.name));
    const auto read_time = [&](std::string_view key, std::optional<Duration>& to) {
        Duration time{};
        section.read(key, time, {1s, kLongestOfFleets});
        if (section.has(key)) to = time;
    };
    read_time("idle", rule.idle);
    read_time("busy", rule.busy);
    read_time("in_transaction", rule.in_transaction);
    if (!section.has("idle") && !section.has("busy") && !section.has("in_transaction"))
        section.wrong("idle", "is missing, and so are `busy` and `in_transaction`; a rule needs one of the three");
    section.read("user", rule.user);
    section.read("host", rule.host);
    section.read("schema", rule.schema);
    section.read("program", rule.program);
    section.read("state", rule.state);
    section.read("statement", rule.statement);
    section.read("query", rule.query);
    section.read("limit", rule.limit, 0, kMostWorkers);
    section.read("every", rule.every, {1s, 1h});
    section.read("dry_run", rule.dry_run, {0s, kLongestOfFleets, true});
    section.finish();
    config.kill_rules.push_back(std::move(rule));
}

void read_rule(const toml::table& table, const Context& context, Config& config) {
    Section section(table, "[[rule]]", context.report);
    Rule rule;
    section.read("user", rule.who.user);
    section.read("address", rule.who.address);
    section.read("program", rule.who.program);
    if (!rule.who.address.empty() && rule.who.address != "local" && !Network::parse(rule.who.address))
        section.wrong("address", "must be an address, a network such as \"10.0.0.0/8\", or \"local\"");
    std::string statement;
    section.read("statement", statement);
    FoldedStatement folded(statement);
    rule.statement = folded.text();
    if (section.has("statement") && rule.statement.empty())
        section.wrong("statement", "must be how a statement begins, such as \"CALL nightly_*\"");
    if (rule.statement.size() == FoldedStatement::kMost)
        section.wrong("statement", fmt::format("must be shorter than {} characters", FoldedStatement::kMost));
    if (rule.who.empty() && !section.has("statement"))
        section.wrong("user", "is missing, and so are `address`, `program` and `statement`; a rule needs one of them");
    PoolMode mode{};
    section.read_choice("mode", mode, parse_pool_mode, kModes);
    if (section.has("mode")) rule.mode = mode;
    section.read("pin", rule.pin);
    section.read("trust_calls", rule.trust_calls);
    if (rule.mode && section.has("statement")) {
        section.wrong("mode", "is a whole session's, and this rule is for statements; use `pin` for them");
    } else if (rule.pin && !section.has("statement")) {
        section.wrong("pin", "is for statements; without `statement` use `mode` = \"session\"");
    } else if (!rule.mode && !rule.pin && !rule.trust_calls) {
        section.wrong("mode",
                      "is missing, and so are `pin` and `trust_calls`; without one of them a rule does nothing");
    }
    section.finish();
    config.rules.push_back(std::move(rule));
}

void read_api(const toml::table& table, const Context& context, Api& api) {
    Section section(table, "[api]", context.report);
    section.read("address", api.address);
    if (auto token = read_secret(section, "token_file", context)) api.token = std::move(*token);
    section.finish();
}

void read_log(const toml::table& table, const Context& context, Log& log) {
    Section section(table, "[log]", context.report);
    section.read("level", log.level);
    if (!is_log_level(log.level)) section.wrong("level", "must be one of trace, debug, info, warn, error and off");
    section.read_choice("format", log.format, parse_log_format, "\"text\" and \"json\"");
    section.finish();
}

// What the whole file may have at its top.
struct Top {
    std::string_view name;
    bool many;  // [[name]]
};
constexpr std::array kTops{Top{"server", false},      Top{"budget", false}, Top{"listen", false}, Top{"pool", false},
                           Top{"passthrough", false}, Top{"user", true},    Top{"class", true},   Top{"slots", false},
                           Top{"fleet", true},        Top{"kill", true},    Top{"rule", true},    Top{"api", false},
                           Top{"log", false}};

void read_unknown_top(std::string_view name, const toml::source_region& where, Report& report) {
    const auto elsewhere = std::ranges::find(kKeys, name, &Key::name);
    if (elsewhere != kKeys.end()) {
        report.problem(where,
                       fmt::format("`{}` stands outside any section; it belongs to {}", name, elsewhere->section));
        return;
    }
    std::array<std::string_view, kTops.size()> names;
    std::ranges::transform(kTops, names.begin(), &Top::name);
    const auto meant = nearest(name, names);
    report.problem(where, meant.empty() ? fmt::format("there is no section `{}`", name)
                                        : fmt::format("there is no section `{}`; did you mean `{}`?", name, meant));
}

// The tables of a section: one, or any number; wrong brackets are reported.
std::vector<const toml::table*> tables_of(const toml::node& node, const Top& top, Report& report) {
    std::vector<const toml::table*> tables;
    if (!top.many) {
        if (const auto* table = node.as_table())
            tables.push_back(table);
        else
            report.problem(node.source(), fmt::format("`{}` must be a section, written [{}]", top.name, top.name));
        return tables;
    }
    const auto* list = node.as_array();
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) tables.push_back(list->get(i)->as_table());
    if (list == nullptr || std::ranges::count(tables, nullptr) > 0) {
        report.problem(node.source(), fmt::format("`{}` must be written [[{}]], with two brackets, once for each",
                                                  top.name, top.name));
        tables.clear();
    }
    return tables;
}

}  // namespace

void read_sections(std::string_view text, const ReadFile& read, Report& report, Config& config, ServerSource& source) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        report.problem(parsed.error().source(), std::string(parsed.error().description()));
        return;
    }
    const Context context{read, report};
    for (const auto& [key, node] : parsed.table()) {
        const std::string_view name = key.str();
        const auto top = std::ranges::find(kTops, name, &Top::name);
        if (top == kTops.end()) {
            read_unknown_top(name, key.source(), report);
            continue;
        }
        for (const auto* table : tables_of(node, *top, report)) {
            if (name == "server")
                read_server(*table, context, config.server, source);
            else if (name == "budget")
                read_budget(*table, context, config.budget);
            else if (name == "listen")
                read_listen(*table, context, config.listen);
            else if (name == "pool")
                read_pool(*table, context, config.pool);
            else if (name == "passthrough")
                read_passthrough(*table, context, config.passthrough);
            else if (name == "user")
                read_user(*table, context, config);
            else if (name == "class")
                read_class(*table, context, config);
            else if (name == "slots")
                read_slots(*table, context, config.slots);
            else if (name == "fleet")
                read_fleet(*table, context, config);
            else if (name == "kill")
                read_kill_rule(*table, context, config);
            else if (name == "rule")
                read_rule(*table, context, config);
            else if (name == "api")
                read_api(*table, context, config.api);
            else
                read_log(*table, context, config.log);
        }
    }
}

}  // namespace tidegate::config
