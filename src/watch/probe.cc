#include "watch/probe.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "base/letters.h"

namespace tidegate::watch {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kSystemUser = "system user";

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// An account as GRANT wants it written: 'app'@'%'.
std::string quoted(const std::string& account) {
    const auto at = account.rfind('@');
    if (at == std::string::npos) return "'" + account + "'";
    return fmt::format("'{}'@'{}'", account.substr(0, at), account.substr(at + 1));
}

Kind kind_of(const Connection& connection) {
    if (connection.command.starts_with("Binlog Dump") || connection.command == "Register Slave")
        return Kind::binlog_dump;
    if (connection.user == "event_scheduler") return Kind::event_scheduler;
    if (connection.command.starts_with("Slave") || connection.command.starts_with("Replica")) return Kind::replica;
    if (connection.user == kSystemUser) {
        // MySQL calls the command of its replication threads Connect, or Query; only the state tells what they are.
        for (const auto* word : {"master", "source", "Slave", "slave", "replica", "Replica", "relay log", "binlog"}) {
            if (contains(connection.state, word)) return Kind::replica;
        }
        return Kind::system;
    }
    if (connection.command == "Daemon") return Kind::system;
    // Whoever has logged in is never in this command again: it is an event at work, under its definer's name.
    if (connection.command == "Connect" && connection.user != "unauthenticated user") return Kind::system;
    return Kind::client;
}

// "10.0.0.7:43210", "localhost", "[::1]:43210"; a name with a port, too.
void set_host(Connection& connection, const std::string& text) {
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    const bool has_port =
        colon != std::string::npos &&
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), port).ptr == text.data() + text.size() &&
        port != 0;
    connection.host = has_port ? text.substr(0, colon) : text;
    connection.port = has_port ? port : 0;
    if (connection.host.starts_with('[') && connection.host.ends_with(']'))
        connection.host = connection.host.substr(1, connection.host.size() - 2);
}

std::string process_list_statement(Flavour flavour) {
    return fmt::format(
        "SELECT ID, USER, HOST, DB, COMMAND, TIME{}, STATE, LEFT(INFO, {}) AS INFO "
        "FROM information_schema.PROCESSLIST",
        flavour == Flavour::mariadb ? ", TIME_MS, TID" : "", kStatementKept);
}

Connection connection_in(const Table& table, const Table::Row& row, std::uint64_t own_id) {
    Connection connection;
    connection.id = table.number(row, "ID").value_or(0);
    connection.user = table.text(row, "USER");
    set_host(connection, table.text(row, "HOST"));
    connection.schema = table.text(row, "DB");
    connection.command = table.text(row, "COMMAND");
    connection.state = table.text(row, "STATE");
    connection.statement = table.text(row, "INFO");
    // A clock that was set back makes the time negative, or very large.
    if (const auto ms = table.number(row, "TIME_MS"))
        connection.time = milliseconds(*ms);
    else
        connection.time = seconds(std::min<std::uint64_t>(table.number(row, "TIME").value_or(0), 1U << 31));
    connection.server_thread = static_cast<int>(table.number(row, "TID").value_or(0));
    connection.kind = connection.id == own_id ? Kind::own : kind_of(connection);
    return connection;
}

// One look, question by question. What cannot be asked is noted, once each.
class Look {
public:
    Look(Session& session, Snapshot& into) : session_(session), into_(into) {}

    Result<void> everything() {
        if (auto done = read_map("SHOW GLOBAL VARIABLES", into_.variables); !done) return done;
        set_version();
        if (auto done = who_we_are(); !done) return done;
        accounts();
        if (auto done = now(); !done) return done;
        lock_waits();
        host_errors();
        return {};
    }

    // What changes from moment to moment.
    Result<void> now() {
        if (auto done = read_map("SHOW GLOBAL STATUS", into_.status); !done) return done;
        if (auto done = process_list(); !done) return done;
        transactions();
        attributes();
        return {};
    }

private:
    Result<void> read_map(const std::string& sql, std::map<std::string, std::string, std::less<>>& map) {
        const auto table = session_.ask(sql);
        if (!table) return std::unexpected(table.error());
        map.clear();
        for (const auto& row : table->rows) {
            if (row.size() >= 2 && row[0]) map[*row[0]] = row[1].value_or("");
        }
        return {};
    }

    void set_version() {
        const auto text = into_.text("version");
        const bool mariadb = contains(text, "MariaDB") || contains(into_.text("version_comment"), "MariaDB");
        into_.flavour = mariadb ? Flavour::mariadb : Flavour::mysql;
        into_.version = text.substr(0, text.find('-'));
    }

    [[nodiscard]] bool is_mariadb() const { return into_.flavour == Flavour::mariadb; }

    void hide(std::string what, const std::string& privilege) {
        const auto known = std::ranges::find(into_.hidden, what, &Hidden::what);
        if (known != into_.hidden.end()) return;
        into_.hidden.push_back({std::move(what), fmt::format("GRANT {} TO {};", privilege, quoted(into_.own_account))});
    }

    // A statement whose failure is no error of the look: 1142, 1227 and others say that something is hidden.
    std::optional<Table> ask(const std::string& sql, const std::string& what, const std::string& privilege) {
        auto table = session_.ask(sql);
        if (table) return std::move(*table);
        hide(what, privilege);
        return std::nullopt;
    }

    Result<void> who_we_are() {
        const auto table =
            session_.ask("SELECT CONNECTION_ID() AS id, CURRENT_USER() AS account, @@max_user_connections AS max_user");
        if (!table) return std::unexpected(table.error());
        if (table->rows.empty()) return fail("the server does not say who we are");
        const auto& row = table->rows.front();
        into_.own_id = table->number(row, "id").value_or(0);
        into_.own_account = table->text(row, "account");
        own_limit_ = table->number(row, "max_user").value_or(0);
        grants();
        return {};
    }

    void grants() {
        const auto table = session_.ask("SHOW GRANTS");
        if (!table) return;
        for (const auto& row : table->rows) {
            const std::string grant = row.empty() ? std::string() : row.front().value_or("");
            if (!contains(grant, " ON *.* ")) continue;
            for (const auto* right : {"ALL PRIVILEGES", "SUPER", "CONNECTION ADMIN", "CONNECTION_ADMIN"}) {
                if (contains(grant, right)) into_.may_kill_all = true;
            }
        }
        if (!into_.may_kill_all) {
            hide("the right to end other accounts' connections",
                 is_mariadb() ? "CONNECTION ADMIN ON *.*" : "CONNECTION_ADMIN ON *.*");
        }
    }

    void accounts() {
        into_.accounts.clear();
        into_.accounts_by_host_name = 0;
        const auto table =
            ask("SELECT User, Host, max_user_connections, max_connections, max_questions, Super_priv FROM mysql.user",
                "the accounts' own limits", "SELECT ON mysql.*");
        if (!table) {
            const auto at = into_.own_account.rfind('@');
            Account own;
            own.user = into_.own_account.substr(0, at);
            own.host = at == std::string::npos ? "" : into_.own_account.substr(at + 1);
            // The session's value is the account's own limit, or else the one that all accounts have.
            if (own_limit_ != into_.variable("max_user_connections").value_or(0)) own.max_user_connections = own_limit_;
            into_.accounts.push_back(std::move(own));
            return;
        }
        for (const auto& row : table->rows) {
            Account account{.user = table->text(row, "User"),
                            .host = table->text(row, "Host"),
                            .max_user_connections = table->number(row, "max_user_connections").value_or(0),
                            .max_connections_per_hour = table->number(row, "max_connections").value_or(0),
                            .max_queries_per_hour = table->number(row, "max_questions").value_or(0),
                            .super = table->text(row, "Super_priv") == "Y"};
            const bool is_name = std::ranges::any_of(
                account.host, [](char c) { return (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z'); });
            if (is_name && account.host != "localhost" && !account.user.empty()) ++into_.accounts_by_host_name;
            into_.accounts.push_back(std::move(account));
        }
    }

    Result<void> process_list() {
        const auto table = session_.ask(process_list_statement(into_.flavour) + " ORDER BY ID");
        if (!table) return std::unexpected(table.error());
        into_.connections.clear();
        for (const auto& row : table->rows) into_.connections.push_back(connection_in(*table, row, into_.own_id));
        return {};
    }

    [[nodiscard]] std::unordered_map<std::uint64_t, Connection*> by_id() {
        std::unordered_map<std::uint64_t, Connection*> found;
        for (auto& connection : into_.connections) found.emplace(connection.id, &connection);
        return found;
    }

    // INNODB_TRX takes the privilege that the whole process list takes.
    void transactions() {
        const auto table =
            ask("SELECT trx_mysql_thread_id AS id, TIMESTAMPDIFF(MICROSECOND, trx_started, NOW(6)) AS age, "
                "trx_rows_locked AS locked, trx_rows_modified AS modified FROM information_schema.INNODB_TRX",
                "other accounts' connections and open transactions", "PROCESS ON *.*");
        into_.sees_all = table.has_value();
        if (!table) return;
        const auto connections = by_id();
        for (const auto& row : table->rows) {
            const auto at = connections.find(table->number(row, "id").value_or(0));
            if (at == connections.end()) continue;
            Connection& connection = *at->second;
            connection.in_transaction = microseconds(table->number(row, "age").value_or(0));
            connection.rows_locked = table->number(row, "locked").value_or(0);
            connection.rows_modified = table->number(row, "modified").value_or(0);
        }
    }

    // MySQL's; MariaDB's are in its process list.
    void threads() {
        const auto table = session_.ask(
            "SELECT PROCESSLIST_ID, THREAD_OS_ID FROM performance_schema.threads WHERE PROCESSLIST_ID IS NOT NULL");
        if (!table) return;  // what is hidden is said of the attributes
        const auto connections = by_id();
        for (const auto& row : table->rows) {
            const auto at = connections.find(table->number(row, "PROCESSLIST_ID").value_or(0));
            if (at == connections.end()) continue;
            at->second->server_thread = static_cast<int>(table->number(row, "THREAD_OS_ID").value_or(0));
        }
    }

    void attributes() {
        if (!into_.on("performance_schema")) return;
        if (!is_mariadb()) threads();
        const auto table =
            ask("SELECT PROCESSLIST_ID, ATTR_NAME, ATTR_VALUE FROM performance_schema.session_connect_attrs "
                "WHERE ATTR_NAME IN ('program_name', '_pid', '_client_name')",
                "the programs' own names (connection attributes)", "SELECT ON performance_schema.*");
        if (!table) return;
        const auto connections = by_id();
        std::vector<Connection*> with_library;  // which a gate has not
        for (const auto& row : table->rows) {
            const auto at = connections.find(table->number(row, "PROCESSLIST_ID").value_or(0));
            if (at == connections.end()) continue;
            const auto name = table->text(row, "ATTR_NAME");
            if (name == "program_name") at->second->program_name = table->text(row, "ATTR_VALUE");
            if (name == "_client_name") with_library.push_back(at->second);
            if (name == "_pid") {
                if (const auto pid = table->number(row, "ATTR_VALUE")) at->second->pid = static_cast<int>(*pid);
            }
        }
        for (auto& connection : into_.connections) {
            if (connection.kind != Kind::client || connection.program_name != "tidegate") continue;
            connection.kind =
                std::ranges::find(with_library, &connection) == with_library.end() ? Kind::gate : Kind::own;
        }
    }

    // MySQL 8 has moved the waits to performance_schema; before it, and in MariaDB, they are InnoDB's own tables.
    void lock_waits() {
        into_.lock_waits.clear();
        const bool in_schema = !is_mariadb() && !into_.version.starts_with("5.");
        const std::string waits =
            in_schema ? "performance_schema.data_lock_waits w "
                        "JOIN information_schema.INNODB_TRX r ON r.trx_id = w.REQUESTING_ENGINE_TRANSACTION_ID "
                        "JOIN information_schema.INNODB_TRX b ON b.trx_id = w.BLOCKING_ENGINE_TRANSACTION_ID "
                        "LEFT JOIN performance_schema.data_locks l ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID"
                      : "information_schema.INNODB_LOCK_WAITS w "
                        "JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id "
                        "JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id "
                        "LEFT JOIN information_schema.INNODB_LOCKS l ON l.lock_id = w.requested_lock_id";
        const std::string table_name = in_schema ? "CONCAT(l.OBJECT_SCHEMA, '.', l.OBJECT_NAME)" : "l.lock_table";
        const auto table =
            ask(fmt::format("SELECT DISTINCT r.trx_mysql_thread_id AS waiting, b.trx_mysql_thread_id AS blocking, "
                            "TIMESTAMPDIFF(MICROSECOND, r.trx_wait_started, NOW(6)) AS waited, {} AS locked, "
                            "LEFT(r.trx_query, {}) AS query FROM {}",
                            table_name, kStatementKept, waits),
                "who waits for whose locks",
                in_schema && into_.sees_all ? "SELECT ON performance_schema.*" : "PROCESS ON *.*");
        if (!table) return;
        for (const auto& row : table->rows) {
            into_.lock_waits.push_back({.waiting = table->number(row, "waiting").value_or(0),
                                        .blocking = table->number(row, "blocking").value_or(0),
                                        .waited = microseconds(table->number(row, "waited").value_or(0)),
                                        .table = table->text(row, "locked"),
                                        .statement = table->text(row, "query")});
        }
    }

    void host_errors() {
        into_.host_errors.clear();
        if (!into_.on("performance_schema")) return;
        const auto table = ask("SELECT * FROM performance_schema.host_cache LIMIT 1000", "connection errors by host",
                               "SELECT ON performance_schema.*");
        if (!table) return;
        for (const auto& row : table->rows) {
            HostErrors errors{.ip = table->text(row, "IP"), .host = table->text(row, "HOST"), .counts = {}};
            for (const auto& column : table->columns) {
                const bool is_count = column.starts_with("COUNT_") || column == "SUM_CONNECT_ERRORS";
                if (!is_count || !column.ends_with("_ERRORS")) continue;
                if (const auto count = table->number(row, column).value_or(0)) errors.counts[lower(column)] = count;
            }
            if (!errors.counts.empty()) into_.host_errors.push_back(std::move(errors));
        }
    }

    Session& session_;
    Snapshot& into_;
    std::uint64_t own_limit_ = 0;
};

}  // namespace

Result<Snapshot> look(Session& session, WallTime taken) {
    Snapshot snapshot;
    snapshot.taken = taken;
    snapshot.way = session.way();
    if (auto done = Look(session, snapshot).everything(); !done) return std::unexpected(done.error());
    return snapshot;
}

Result<Snapshot> look_again(Session& session, const Snapshot& last, WallTime taken) {
    Snapshot snapshot = last;
    snapshot.taken = taken;
    if (auto done = Look(session, snapshot).now(); !done) return std::unexpected(done.error());
    return snapshot;
}

Result<std::optional<Connection>> look_at(Session& session, const Snapshot& known, std::uint64_t id) {
    const auto table = session.ask(fmt::format("{} WHERE ID = {}", process_list_statement(known.flavour), id));
    if (!table) return std::unexpected(table.error());
    if (table->rows.empty()) return std::nullopt;
    return connection_in(*table, table->rows.front(), known.own_id);
}

}  // namespace tidegate::watch
