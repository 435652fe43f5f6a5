#include "watch/doctor/memory.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"

namespace tidegate::watch::doctor {
namespace {

constexpr double kUsable = 0.9;  // of the machine's memory; the rest is the system's

constexpr std::array kShared = {"innodb_buffer_pool_size", "innodb_log_buffer_size", "key_buffer_size",
                                "aria_pagecache_buffer_size"};
constexpr std::array kPerConnection = {"thread_stack",     "sort_buffer_size",     "join_buffer_size",
                                       "read_buffer_size", "read_rnd_buffer_size", "net_buffer_length"};

std::uint64_t sum(const std::vector<MemoryPart>& parts) {
    std::uint64_t bytes = 0;
    for (const auto& part : parts) bytes += part.bytes;
    return bytes;
}

void add(const Looks& looks, std::string_view variable, std::vector<MemoryPart>& to) {
    if (const auto bytes = looks.setting(variable); bytes > 0) to.push_back({std::string(variable), bytes});
}

std::string terms(const std::vector<MemoryPart>& parts) {
    std::string text;
    for (const auto& part : parts)
        text += fmt::format("{}{} {}", text.empty() ? "" : " + ", part.name, size_of(part.bytes));
    return text;
}

// The largest buffer that each connection may take, where it is larger than need be; nullptr: none stands out.
const MemoryPart* outsized(const MemoryNeed& need) {
    const auto at = std::ranges::max_element(need.per_connection, {}, &MemoryPart::bytes);
    constexpr std::uint64_t kOrdinary = 4ULL << 20;
    return at != need.per_connection.end() && at->bytes > kOrdinary ? &*at : nullptr;
}

std::uint64_t ordinary_size(std::string_view variable) {
    return variable == "sort_buffer_size" ? 2ULL << 20 : 256ULL << 10;
}

}  // namespace

std::uint64_t MemoryNeed::shared_bytes() const {
    return sum(shared);
}

std::uint64_t MemoryNeed::connection_bytes() const {
    return sum(per_connection);
}

std::uint64_t MemoryNeed::with(std::uint64_t connections) const {
    return shared_bytes() + connections * connection_bytes();
}

MemoryNeed memory_need(const Looks& looks) {
    MemoryNeed need;
    for (const auto* variable : kShared) add(looks, variable, need.shared);
    const auto type = looks.second.text("query_cache_type");
    if (!type.empty() && type != "OFF" && type != "0") add(looks, "query_cache_size", need.shared);
    for (const auto* variable : kPerConnection) add(looks, variable, need.per_connection);
    if (looks.second.on("log_bin")) add(looks, "binlog_cache_size", need.per_connection);
    return need;
}

std::optional<std::uint64_t> connections_that_fit(const Looks& looks) {
    if (!looks.machine.memory) return std::nullopt;
    const auto need = memory_need(looks);
    const double left = kUsable * static_cast<double>(*looks.machine.memory) - static_cast<double>(need.shared_bytes());
    if (need.connection_bytes() == 0) return std::nullopt;
    return left <= 0 ? 0 : static_cast<std::uint64_t>(left / static_cast<double>(need.connection_bytes()));
}

std::optional<Finding> memory_beyond_machine(const Looks& looks) {
    if (!looks.machine.memory) return std::nullopt;
    const auto memory = *looks.machine.memory;
    const auto need = memory_need(looks);
    const auto peak = std::max(looks.count("Max_used_connections"), looks.connected());
    const auto at_limit = need.with(looks.limit());
    if (static_cast<double>(at_limit) < 0.85 * static_cast<double>(memory)) return std::nullopt;

    Finding finding;
    finding.severity = at_limit > memory ? Severity::attention : Severity::info;
    finding.title = "The limit allows more connections than the machine has memory for";
    finding.evidence = {
        fmt::format("for all: {} = {}", terms(need.shared), size_of(need.shared_bytes())),
        fmt::format("for each connection, at most: {} = {}", terms(need.per_connection),
                    size_of(need.connection_bytes())),
        fmt::format("{} + {} connections x {} = {}, {} of the machine's {}", size_of(need.shared_bytes()),
                    looks.limit(), size_of(need.connection_bytes()), size_of(at_limit),
                    percent(static_cast<double>(at_limit), static_cast<double>(memory)), size_of(memory)),
        fmt::format("with the peak of {} connections: {}", peak, size_of(need.with(peak)))};
    finding.reason =
        "When many connections sort and join at once, the system begins to swap, or ends the server for want of "
        "memory. "
        "A connection that does little takes far less than this.";
    const auto fit = connections_that_fit(looks).value_or(0);
    if (const auto* part = outsized(need)) {
        finding.changes.push_back(set_global(looks, part->name, ordinary_size(part->name)));
        finding.cost =
            "Large sorts or joins without an index use the disk earlier; a session that needs more can SET "
            "its own value. Connections that are open keep what they have.";
    } else if (fit > peak + peak / 4) {
        finding.changes.push_back(set_global(looks, "max_connections", fit));
        finding.cost = "Fewer connections at once: those beyond are refused with 1040, or wait at the gate.";
    } else {
        finding.steps.push_back(
            "make innodb_buffer_pool_size smaller, or give the machine more memory: fewer "
            "connections would not be enough, or fewer than are used");
        finding.cost = "A smaller buffer pool reads more from the disk.";
    }
    return finding;
}

}  // namespace tidegate::watch::doctor
