// Transactions that hold locks while nothing is done, and those who wait for them.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"
#include "watch/holders.h"

namespace tidegate::watch::doctor {
namespace {

constexpr Duration kIdle = std::chrono::seconds(60);
constexpr Duration kLong = std::chrono::seconds(60);
constexpr std::size_t kShown = 5;

const Connection* with_id(const Snapshot& snapshot, std::uint64_t id) {
    const auto at = std::ranges::find(snapshot.connections, id, &Connection::id);
    return at == snapshot.connections.end() ? nullptr : &*at;
}

std::string name_of(const Connection& connection) {
    const auto program = connection.program();
    const auto pid =
        connection.local && connection.local->pid != 0 ? fmt::format(" (pid {})", connection.local->pid) : "";
    return fmt::format("connection {}, {} at {}{}{}{}", connection.id, account_of(connection), host_of(connection),
                       program.empty() ? "" : ", ", program, pid);
}

std::string beginning(std::string statement) {
    constexpr std::size_t kMost = 80;
    std::ranges::replace(statement, '\n', ' ');
    if (statement.size() <= kMost) return statement;
    std::size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(statement[end]) & 0xC0U) == 0x80U) --end;  // whole UTF-8 characters
    return statement.substr(0, end) + "..";
}

// Waits that both looks have seen: not the moment that any busy server has.
std::vector<LockWait> lasting_waits(const Looks& looks) {
    std::vector<LockWait> lasting;
    for (const auto& wait : looks.second.lock_waits) {
        const bool before = std::ranges::any_of(looks.first.lock_waits, [&](const LockWait& was) {
            return was.waiting == wait.waiting && was.blocking == wait.blocking && was.waited <= wait.waited;
        });
        if (before) lasting.push_back(wait);
    }
    return lasting;
}

bool is_asleep_in_transaction(const Connection& connection) {
    return connection.kind == Kind::client && connection.sleeping() && connection.in_transaction.has_value();
}

std::set<std::uint64_t> waiting_for(const std::vector<LockWait>& waits, std::uint64_t blocking) {
    std::set<std::uint64_t> waiting;
    for (const auto& wait : waits) {
        if (wait.blocking == blocking) waiting.insert(wait.waiting);
    }
    return waiting;
}

// Statements that wait for a table's definition: an ALTER behind a transaction that has not ended, and all behind it.
std::vector<const Connection*> waiting_for_definition(const Looks& looks) {
    std::vector<const Connection*> waiting;
    for (const auto& connection : looks.second.connections) {
        if (connection.state.find("metadata lock") == std::string::npos) continue;
        const auto* before = with_id(looks.first, connection.id);
        if (before != nullptr && before->state == connection.state && before->time <= connection.time)
            waiting.push_back(&connection);
    }
    return waiting;
}

}  // namespace

std::optional<Finding> idle_transaction(const Looks& looks) {
    const auto waits = lasting_waits(looks);
    Finding finding;
    finding.title = "A transaction is open while its program does nothing";
    for (const auto& connection : looks.second.connections) {
        if (!is_asleep_in_transaction(connection)) continue;
        const auto waiting = waiting_for(waits, connection.id);
        const auto* before = with_id(looks.first, connection.id);
        const bool slept_on = before != nullptr && is_asleep_in_transaction(*before) && before->time <= connection.time;
        const bool in_the_way = !waiting.empty() && slept_on;
        if (!in_the_way && (connection.time < kIdle || !slept_on)) continue;
        finding.severity = std::max(finding.severity, in_the_way ? Severity::critical : Severity::attention);
        if (finding.evidence.size() >= kShown) continue;
        finding.evidence.push_back(fmt::format(
            "{}: open for {}, asleep for the last {}; {} rows locked, {} changed{}", name_of(connection),
            words_of(*connection.in_transaction), words_of(connection.time), connection.rows_locked,
            connection.rows_modified,
            waiting.empty() ? ""
                            : fmt::format("; {} for its locks",
                                          waiting.size() == 1 ? "1 connection waits"
                                                              : fmt::format("{} connections wait", waiting.size()))));
        if (in_the_way) {
            finding.steps.push_back(
                fmt::format("end it (what it did is rolled back): tidegate kill --id {}   or KILL {};", connection.id,
                            connection.id));
        }
    }
    if (finding.evidence.empty()) return std::nullopt;
    finding.reason =
        "It holds its locks, and keeps old versions of rows alive, until it commits, rolls back or ends; whoever waits "
        "for it holds a connection as well.";
    finding.steps.emplace_back(
        "in the program: commit or roll back before waiting for anything else (a mail, an API, a person); "
        "with autocommit off every SELECT opens one");
    if (looks.second.flavour == Flavour::mariadb && looks.has_setting("idle_transaction_timeout") &&
        looks.setting("idle_transaction_timeout") == 0)
        finding.changes.push_back(set_global(looks, "idle_transaction_timeout", 300));
    if (looks.gate) finding.steps.emplace_back("at the gate: idle_in_transaction = \"60s\" in [pool]");
    finding.cost =
        "A program that rests in a transaction for longer than that loses its connection and what it had not "
        "committed.";
    return finding;
}

std::optional<Finding> lock_wait(const Looks& looks) {
    const auto waits = lasting_waits(looks);
    const auto definitions = waiting_for_definition(looks);
    if (waits.empty() && definitions.empty()) return std::nullopt;
    Finding finding;
    finding.severity = Severity::attention;
    finding.title = "Statements wait for others' locks";
    for (const auto& wait : waits) {
        if (finding.evidence.size() >= kShown) break;
        const auto* waiting = with_id(looks.second, wait.waiting);
        const auto* blocking = with_id(looks.second, wait.blocking);
        finding.evidence.push_back(fmt::format(
            "{} waits for {}{} ({}): {}",
            waiting != nullptr ? name_of(*waiting) : fmt::format("connection {}", wait.waiting),
            blocking != nullptr ? name_of(*blocking) : fmt::format("connection {}", wait.blocking),
            blocking != nullptr && blocking->sleeping() ? ", which sleeps" : "",
            fmt::format("{}, table {}", words_of(wait.waited), wait.table.empty() ? "not told" : wait.table),
            beginning(wait.statement)));
    }
    for (const auto* connection : definitions) {
        if (finding.evidence.size() >= kShown) break;
        finding.evidence.push_back(fmt::format("{} waits for a table's definition ({}): {}", name_of(*connection),
                                               words_of(connection->time), beginning(connection->statement)));
    }
    finding.reason =
        "Each waits with a connection in its hand, for up to innodb_lock_wait_timeout "
        "(rows) or lock_wait_timeout (definitions); others who want the same queue up behind it.";
    finding.evidence.push_back(fmt::format("innodb_lock_wait_timeout = {} s, lock_wait_timeout = {} s",
                                           looks.setting("innodb_lock_wait_timeout"),
                                           looks.setting("lock_wait_timeout")));
    std::set<std::uint64_t> blockers;
    for (const auto& wait : waits) blockers.insert(wait.blocking);
    for (const auto& wait : waits) blockers.erase(wait.waiting);  // who waits himself is not the first
    for (const auto id : blockers) {
        if (finding.steps.size() >= kShown) break;
        finding.steps.push_back(fmt::format("end the one in front: tidegate kill --id {}   or KILL {};", id, id));
    }
    finding.steps.emplace_back(
        "in the programs: short transactions, rows always in the same order, an index for what UPDATE and "
        "DELETE look for");
    finding.cost = "Ending a connection rolls its transaction back, which takes as long as the changes took.";
    return finding;
}

std::optional<Finding> long_statement(const Looks& looks) {
    std::vector<const Connection*> running;
    for (const auto& connection : looks.second.connections) {
        const bool works = connection.kind == Kind::client || connection.kind == Kind::gate;
        if (works && !connection.sleeping() && !connection.statement.empty() && connection.time >= kLong)
            running.push_back(&connection);
    }
    if (running.empty()) return std::nullopt;
    std::ranges::sort(running, std::greater{}, [](const Connection* connection) { return connection->time; });
    Finding finding;
    finding.title = "Statements run for more than a minute";
    for (const auto* connection : running) {
        if (finding.evidence.size() >= kShown) break;
        finding.evidence.push_back(fmt::format("{}: {} ({}): {}", name_of(*connection), words_of(connection->time),
                                               connection->state, beginning(connection->statement)));
    }
    finding.reason =
        "Each holds its connection for as long. A report or an ALTER may well take that time; a page's query should "
        "not.";
    finding.steps = {
        "see what it does: EXPLAIN the statement; SHOW EXPLAIN FOR id (MariaDB), EXPLAIN FOR CONNECTION id (MySQL)",
        fmt::format("stop the statement alone: KILL QUERY {};", running.front()->id)};
    finding.cost = "What a stopped statement has changed is rolled back.";
    return finding;
}

}  // namespace tidegate::watch::doctor
