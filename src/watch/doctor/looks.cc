#include "watch/doctor/looks.h"

#include <algorithm>

#include "watch/victims.h"

namespace tidegate::watch::doctor {
namespace {

std::string pattern_of(std::string host) {
    std::ranges::replace(host, '%', '*');
    std::ranges::replace(host, '_', '?');
    return host;
}

}  // namespace

double Looks::apart() const {
    const auto between = std::chrono::duration<double>(second.taken - first.taken).count();
    return std::max(between, 0.001);
}

double Looks::uptime() const {
    const auto flushed = second.count("Uptime_since_flush_status");
    const auto up = second.count("Uptime").value_or(1);
    return static_cast<double>(std::max<std::uint64_t>(1, flushed ? std::min(*flushed, up) : up));
}

std::uint64_t Looks::count(std::string_view name) const {
    return second.count(name).value_or(0);
}

std::uint64_t Looks::grown(std::string_view name) const {
    const auto before = first.count(name);
    const auto now = count(name);
    return before && now > *before ? now - *before : 0;
}

double Looks::rate(std::string_view name) const {
    return static_cast<double>(grown(name)) / apart();
}

double Looks::mean_rate(std::string_view name) const {
    return static_cast<double>(count(name)) / uptime();
}

std::uint64_t Looks::setting(std::string_view variable) const {
    return second.variable(variable).value_or(0);
}

bool Looks::has_setting(std::string_view variable) const {
    return second.variable(variable).has_value();
}

std::uint64_t Looks::limit() const {
    return std::max<std::uint64_t>(1, setting("max_connections"));
}

std::uint64_t Looks::connected() const {
    return second.count("Threads_connected").value_or(second.held());
}

std::size_t Looks::idle() const {
    return static_cast<std::size_t>(std::ranges::count_if(second.connections, [this](const Connection& connection) {
        return connection.kind == Kind::client && connection.idle_for(max_idle);
    }));
}

// As the server chooses: the most particular host first, which here is one without wildcards.
const Account* account_behind(const Snapshot& snapshot, const Connection& connection) {
    const Account* found = nullptr;
    for (const auto& account : snapshot.accounts) {
        if (account.user != connection.user) continue;
        if (account.host == connection.host) return &account;
        const bool better = found == nullptr || account.host.size() > found->host.size();
        if (better && fits(connection.host, pattern_of(account.host))) found = &account;
    }
    return found;
}

}  // namespace tidegate::watch::doctor
