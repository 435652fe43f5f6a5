#include "config/show.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "config/values.h"

namespace tidegate::config {
namespace {

constexpr std::string_view kSecret = "(given, not shown)";

std::string text(bool value) {
    return value ? "true" : "false";
}
std::string text(unsigned value) {
    return std::to_string(value);
}
std::string text(Duration value) {
    return value == Duration::zero() ? "0" : text_of(value);
}
std::string text(const std::vector<std::string>& values) {
    return fmt::format("{}", fmt::join(values, ", "));
}
std::string text(const std::optional<Endpoint>& value) {
    return value ? value->text() : "off";
}
std::string text(const Secret& value) {
    return value.empty() ? "" : std::string(kSecret);
}
template <class Enum>
    requires std::is_enum_v<Enum>
std::string text(Enum value) {
    return std::string(text_of(value));
}
std::string or_auto(const std::optional<unsigned>& value) {
    return value ? text(*value) : "auto";
}

// Without the password; "" where there is no server yet.
std::string url_of(const Server& server) {
    std::string url = "mysql://" + server.user + (server.has_account() ? "@" : "");
    url += server.socket.empty() ? server.text() : server.host;
    if (!server.schema.empty()) url += "/" + server.schema;
    if (!server.socket.empty()) url += "?socket=" + server.socket;
    return url;
}

// A command may have a password among its arguments.
std::string command_of(const std::vector<std::string>& words) {
    if (words.empty()) return "";
    return words.size() == 1 ? words.front() : fmt::format("{} .. ({} arguments)", words.front(), words.size() - 1);
}

class List {
public:
    void table(std::string_view name) { table_ = fmt::format("[{}]", name); }
    void table(std::string_view name, std::string_view of) { table_ = fmt::format("[[{}]] {}:", name, of); }
    template <class T>
    void add(std::string_view key, const T& value) {
        if constexpr (std::is_convertible_v<T, std::string>)
            all_.push_back({.key = fmt::format("{} {}", table_, key), .value = value});
        else
            all_.push_back({.key = fmt::format("{} {}", table_, key), .value = text(value)});
    }
    // Of a table in [[..]]: only what was given.
    template <class T>
    void given(std::string_view key, const T& value) {
        if (value != T{}) add(key, value);
    }
    template <class T>
    void given(std::string_view key, const std::optional<T>& value) {
        if (value) add(key, *value);
    }
    void match(const ClassMatch& who) {
        given("user", who.user);
        given("address", who.address);
        given("program", who.program);
    }
    [[nodiscard]] std::vector<Setting> take() { return std::move(all_); }

private:
    std::string table_;
    std::vector<Setting> all_;
};

void add_server(List& list, const Server& server) {
    list.table("server");
    list.add("url", url_of(server));
    list.add("password_file", server.password);
    list.add("tls", server.tls);
    list.add("ca", server.ca);
    list.add("connect_timeout", server.connect_timeout);
    list.add("query_timeout", server.query_timeout);
    list.add("monitor_interval", server.monitor_interval);
}

void add_budget(List& list, const Budget& budget) {
    list.table("budget");
    list.add("max_connections", or_auto(budget.max_connections));
    list.add("reserve", budget.reserve);
    list.add("max_per_user", or_auto(budget.max_per_user));
    list.add("opening_at_once", budget.opening_at_once);
}

void add_listen(List& list, const Listen& listen) {
    list.table("listen");
    list.add("address", listen.address);
    list.add("unix", listen.unix_path);
    list.add("tls_cert", listen.tls_cert);
    list.add("tls_key", listen.tls_key);
    list.add("require_tls", listen.require_tls);
    list.add("console", listen.console);
    list.add("max_clients", listen.max_clients);
    list.add("login_timeout", listen.login_timeout);
    list.add("drain_timeout", listen.drain_timeout);
    list.add("max_login_failures", listen.max_login_failures);
    list.add("login_hold_off", listen.login_hold_off);
    list.add("proxy_protocol_from", listen.proxy_protocol_from);
}

void add_pool(List& list, const Pool& pool) {
    list.table("pool");
    list.add("mode", pool.mode);
    list.add("idle_timeout", pool.idle_timeout);
    list.add("max_age", pool.max_age);
    list.add("wait_timeout", pool.wait_timeout);
    list.add("max_waiting", pool.max_waiting);
    list.add("idle_in_transaction", pool.idle_in_transaction);
    list.add("pin_warning", pool.pin_warning);
    list.add("max_prepared", pool.max_prepared);
}

void add_passthrough(List& list, const Passthrough& passthrough) {
    list.table("passthrough");
    list.add("enabled", passthrough.enabled);
    list.add("proof_expiry", passthrough.proof_expiry);
    list.add("rsa", passthrough.rsa);
    list.add("proving_at_once", passthrough.proving_at_once);
    list.add("proving_per_address", passthrough.proving_per_address);
    list.add("allow_empty_password", passthrough.allow_empty_password);
    list.add("allow_remote", passthrough.allow_remote);
}

void add_rest(List& list, const Config& config) {
    list.table("slots");
    list.add("max", or_auto(config.slots.max));
    list.add("wait_timeout", config.slots.wait_timeout);
    list.add("path", config.slots.path);
    list.table("api");
    list.add("address", config.api.address);
    list.add("token_file", config.api.token);
    list.table("log");
    list.add("level", config.log.level);
    list.add("format", config.log.format);
}

void add_user(List& list, const User& user) {
    list.table("user", user.name);
    list.add("name", user.name);
    if (user.password) list.add("password", std::string(kSecret));
    if (!user.hash.empty()) list.add("hash", std::string(kSecret));
    list.given("class", user.class_name);
    list.given("mode", user.mode);
    list.given("max_connections", user.max_connections);
    list.given("guaranteed", user.guaranteed);
}

void add_fleet(List& list, const Fleet& fleet) {
    list.table("fleet", fleet.name);
    list.add("command", command_of(fleet.command));
    list.add("workers", fleet.workers);
    list.add("batch", or_auto(fleet.batch));
    list.add("batch_delay", fleet.batch_delay);
    list.add("restart", fleet.restart);
    list.given("max_jobs", fleet.max_jobs);
    list.given("max_time", fleet.max_time);
    if (fleet.max_rss != 0) list.add("max_rss", text_of_size(fleet.max_rss));
    list.add("stop_timeout", fleet.stop_timeout);
    list.given("job_line", fleet.job_line);
    list.given("single", fleet.single);
    list.given("logs", fleet.logs);
    if (!fleet.prefix) list.add("prefix", fleet.prefix);
}

void add_kill(List& list, const KillRule& rule) {
    list.table("kill", rule.name);
    list.given("idle", rule.idle);
    list.given("busy", rule.busy);
    list.given("in_transaction", rule.in_transaction);
    list.given("user", rule.user);
    list.given("host", rule.host);
    list.given("schema", rule.schema);
    list.given("program", rule.program);
    list.given("state", rule.state);
    list.given("statement", rule.statement);
    list.given("query", rule.query);
    list.given("limit", rule.limit);
    list.add("every", rule.every);
    list.add("dry_run", rule.dry_run);
}

// The tables in [[..]].
void add_lists(List& list, const Config& config) {
    for (const User& user : config.users) add_user(list, user);
    for (const Class& each : config.classes) {
        list.table("class", each.name);
        list.add("weight", each.weight);
        list.match(each.match);
    }
    for (const Fleet& fleet : config.fleets) add_fleet(list, fleet);
    for (const KillRule& rule : config.kill_rules) add_kill(list, rule);
    for (std::size_t i = 0; i < config.rules.size(); ++i) {
        const Rule& rule = config.rules[i];
        list.table("rule", std::to_string(i + 1));
        list.match(rule.who);
        list.given("statement", rule.statement);
        list.given("mode", rule.mode);
        list.given("pin", rule.pin);
        list.given("trust_calls", rule.trust_calls);
    }
}

std::vector<Setting> tables(const Config& config) {
    List list;
    add_server(list, config.server);
    add_budget(list, config.budget);
    add_listen(list, config.listen);
    add_pool(list, config.pool);
    add_passthrough(list, config.passthrough);
    add_rest(list, config);
    return list.take();
}

}  // namespace

std::vector<Setting> show(const Config& config) {
    std::vector<Setting> all = tables(config);
    const std::vector<Setting> usual = tables(Config());
    for (std::size_t i = 0; i < all.size(); ++i) all[i].usual = usual[i].value;
    List list;
    add_lists(list, config);
    for (Setting& each : list.take()) all.push_back(std::move(each));
    return all;
}

}  // namespace tidegate::config
