#include "watch/killer.h"

#include <fmt/core.h>

#include "watch/holders.h"
#include "watch/probe.h"
#include "watch/victims.h"

namespace tidegate::watch {
namespace {

constexpr std::uint16_t kNoSuchThread = 1094;
constexpr std::uint16_t kSignalled = 1644;  // by the statement itself: the connection has changed

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    return out + "'";
}

Killed refused(const Connection& victim, const Error& error) {
    if (error.code == kNoSuchThread) return {victim, End::gone, ""};
    return {victim, End::refused, error.message};
}

// The look and the KILL as one statement of the server's. Compound statements are there since MariaDB 10.1.
Killed kill_in_one(Session& session, const Connection& victim, const std::string& order) {
    const auto host = victim.port == 0 ? quoted(victim.host)
                                       : fmt::format("{}, {}", quoted(fmt::format("{}:{}", victim.host, victim.port)),
                                                     quoted(fmt::format("[{}]:{}", victim.host, victim.port)));
    const auto statement = victim.statement.empty()
                               ? std::string("INFO IS NULL")
                               : fmt::format("LEFT(INFO, {}) = {}", kStatementKept, quoted(victim.statement));
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(victim.time).count();
    const auto done = session.ask(fmt::format(
        "BEGIN NOT ATOMIC IF NOT EXISTS (SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {} AND USER = {} AND "
        "HOST IN ({}) AND COMMAND = {} AND TIME_MS >= {} AND {}) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = "
        "'changed'; END IF; {}; END",
        victim.id, quoted(victim.user), host, quoted(victim.command), ms, statement, order));
    if (done) return {victim, End::ended, ""};
    if (done.error().code == kSignalled) return {victim, End::changed, ""};
    return refused(victim, done.error());
}

Killed look_then_kill(Session& session, const Snapshot& chosen_from, const Connection& victim,
                      const std::string& order) {
    const auto now = look_at(session, chosen_from, victim.id);
    if (!now) return refused(victim, now.error());
    if (!*now) return {victim, End::gone, ""};
    if (!is_unchanged(victim, **now)) return {victim, End::changed, ""};
    const auto done = session.ask(order);
    if (!done) return refused(victim, done.error());
    return {victim, End::ended, ""};
}

}  // namespace

std::string_view name_of(End end) {
    switch (end) {
        case End::ended:
            return "ended";
        case End::changed:
            return "changed";
        case End::gone:
            return "gone";
        case End::refused:
            break;
    }
    return "refused";
}

Killed kill(Session& session, const Snapshot& chosen_from, const Connection& victim, bool query_only) {
    const auto order = fmt::format("KILL {} {}", query_only ? "QUERY" : "CONNECTION", victim.id);
    return chosen_from.flavour == Flavour::mariadb ? kill_in_one(session, victim, order)
                                                   : look_then_kill(session, chosen_from, victim, order);
}

std::string sentence_of(const Connection& connection) {
    std::string words = fmt::format("connection {}, {} at {}", connection.id, connection.user, connection.host);
    if (connection.port != 0) words += fmt::format(":{}", connection.port);
    if (const auto program = connection.program(); !program.empty()) {
        words += ", " + program;
        if (connection.local && connection.local->pid != 0) words += fmt::format(" (pid {})", connection.local->pid);
    }
    if (!connection.schema.empty()) words += ", schema " + connection.schema;
    words += fmt::format(", {} for {}", connection.command, words_of(connection.time));
    if (connection.in_transaction)
        words += fmt::format(", in a transaction of {} ({} rows changed)", words_of(*connection.in_transaction),
                             connection.rows_modified);
    return words;
}

}  // namespace tidegate::watch
