#include "config/checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <set>

#include "config/values.h"

namespace tidegate::config {
namespace {

constexpr unsigned kDefaultWeight = 100;  // as Class has it
constexpr std::size_t kMostWeights = 16;  // the line has a queue for each

bool same_place(const Endpoint& a, const Endpoint& b) {
    if (a.port != b.port || a.port == 0) return false;
    const auto everywhere = [](const Endpoint& e) { return e.host == "0.0.0.0" || e.host == "::"; };
    if (a.host == b.host || (is_loopback(a.host) && is_loopback(b.host))) return true;
    return (everywhere(a) && is_loopback(b.host)) || (everywhere(b) && is_loopback(a.host));
}

void check_classes(const Config& config, Report& report) {
    std::vector<std::string_view> names;
    names.reserve(config.classes.size());
    for (const auto& c : config.classes) names.push_back(c.name);
    for (const auto& user : config.users) {
        if (user.class_name.empty() || config.class_named(user.class_name) != nullptr) continue;
        const auto meant = nearest(user.class_name, names);
        report.problem_of(
            "[[user]] " + user.name + " class",
            fmt::format("the account \"{}\" is put into the class \"{}\", which there is not{}", user.name,
                        user.class_name, meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant)));
    }
    for (const auto& c : config.classes) {
        const bool used = std::ranges::find(config.users, c.name, &User::class_name) != config.users.end();
        if (!used && c.match.empty() && !c.name.empty()) {
            report.warning_of("[[class]] " + c.name,
                              fmt::format("nobody is in the class \"{}\": it has no `match`, and no "
                                          "[[user]] names it",
                                          c.name));
        }
    }
}

void check_guaranteed(const Config& config, Report& report) {
    unsigned sum = 0;
    for (const auto& user : config.users) sum += user.guaranteed;
    const auto limit = config.budget.max_connections;
    if (!limit || sum <= *limit) return;
    report.problem_of(
        "[budget] max_connections",
        fmt::format("`max_connections` in [budget] is {}, less than what is guaranteed to the accounts together, {}",
                    *limit, sum));
}

void check_fleets(const Config& config, Report& report) {
    for (const auto& fleet : config.fleets) {
        if (fleet.stop_timeout <= config.listen.drain_timeout) continue;
        report.warning_of(
            "[[fleet]] " + fleet.name,
            fmt::format("workers of the fleet \"{}\" may take {} to end (`stop_timeout`), but the gate stops within {} "
                        "(`drain_timeout` in [listen]) and kills them then",
                        fleet.name, text_of(fleet.stop_timeout), text_of(config.listen.drain_timeout)));
    }
}

bool anybody_can_log_in(const Config& config) {
    if (config.passthrough.enabled || config.server.has_account()) return true;
    return std::ranges::any_of(config.users, [](const User& u) { return u.password || !u.hash.empty(); });
}

}  // namespace

void rank_classes(Config& config, Report& report) {
    std::set<unsigned, std::greater<>> weights{kDefaultWeight};
    for (const auto& c : config.classes) weights.insert(c.weight);
    if (weights.size() > kMostWeights) {
        report.problem(
            fmt::format("the classes have {} different weights, the {} of clients without a class among them; "
                        "there may be {}",
                        weights.size(), kDefaultWeight, kMostWeights));
    }
    const auto rank_of = [&](unsigned weight) {
        return static_cast<std::uint32_t>(std::distance(weights.begin(), weights.find(weight)));
    };
    for (auto& c : config.classes) c.rank = rank_of(c.weight);
    config.default_rank = rank_of(kDefaultWeight);
}

void check_file(const Config& config, Report& report) {
    check_classes(config, report);
    check_guaranteed(config, report);
    check_fleets(config, report);
    const auto& api = config.api.address;
    if (api && config.listen.address && same_place(*api, *config.listen.address)) {
        report.problem_of("[api] address",
                          fmt::format("the API and the listener cannot both be at {}", config.listen.address->text()));
    }
    if (api && !is_loopback(api->host) && config.api.token.empty()) {
        report.problem_of(
            "[api] address",
            fmt::format("the API at {} could be read from other machines; give it a `token_file` in [api], "
                        "or keep it on 127.0.0.1",
                        api->text()));
    }
}

void check_server(const Config& config, Report& report) {
    const auto& server = config.server;
    if (server.socket.empty() && config.listen.address &&
        same_place({server.host, server.port}, *config.listen.address)) {
        report.problem_of("[server] url",
                          fmt::format("the server, {}, is where the gate itself listens; one of the two "
                                      "addresses is wrong",
                                      server.text()));
    }
    if (!server.socket.empty() && server.socket == config.listen.unix_path) {
        report.problem_of("[server] url", "the server's socket is the gate's own; one of the two paths is wrong");
    }
    const bool verifies = server.tls == TlsMode::verify_ca || server.tls == TlsMode::verify_identity;
    if (!server.ca.empty() && !verifies) {
        report.warning_of("[server] ca", fmt::format("`ca` is not used while `tls` is {}; it needs verify-ca or "
                                                     "verify-identity",
                                                     text_of(server.tls)));
    }
    if (!anybody_can_log_in(config)) {
        report.problem_of(
            "[passthrough] enabled",
            "nobody could log in: `enabled` in [passthrough] is false, no [[user]] has a password or a hash, "
            "and there is no monitor account to fetch hashes with");
    }
}

}  // namespace tidegate::config
