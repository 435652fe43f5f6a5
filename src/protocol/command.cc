#include "protocol/command.h"

#include <array>

namespace tidegate::protocol {

namespace {

using enum Treatment;
using enum ReplyShape;

constexpr std::string_view kReplication =
    "Replication does not pass through the gate: connect to the server directly to read its binary log.";
constexpr std::string_view kInternal = "This command is the server's own and is never a client's to send.";
constexpr std::string_view kObsolete = "This command was never finished or was withdrawn; servers refuse it, too.";
constexpr std::string_view kShutdown = "The gate does not pass on a shutdown: connect to the server directly for it.";
constexpr std::string_view kClone =
    "Cloning does not pass through the gate: connect to the server directly to copy its data.";
constexpr std::string_view kBulk =
    "Bulk execution is not offered by the gate: execute the statement once for each row.";
constexpr std::string_view kUnknown =
    "The gate does not know this command and passes nothing on that it does not know.";

constexpr std::array<CommandRule, 256> make_rules() {
    std::array<CommandRule, 256> rules{};
    for (auto& rule : rules) rule = {.name = "unknown command", .refusal = kUnknown};
    const auto set = [&](Command c, CommandRule rule) { rules[static_cast<std::uint8_t>(c)] = rule; };
    const auto refused = [&](Command c, std::string_view name, std::string_view why) {
        set(c, {.name = name, .refusal = why});
    };
    using enum Command;

    set(quit, {.name = "COM_QUIT", .treatment = answer, .shape = none});
    set(ping, {.name = "COM_PING", .treatment = answer});
    set(change_user, {.name = "COM_CHANGE_USER", .treatment = answer});
    set(reset_connection, {.name = "COM_RESET_CONNECTION", .treatment = answer});
    set(set_option, {.name = "COM_SET_OPTION", .treatment = answer});
    set(process_kill, {.name = "COM_PROCESS_KILL", .treatment = answer});

    set(query, {.name = "COM_QUERY", .treatment = relay, .shape = result});
    set(init_db, {.name = "COM_INIT_DB", .treatment = relay});
    set(Command::field_list, {.name = "COM_FIELD_LIST", .treatment = relay, .shape = ReplyShape::field_list});
    set(create_db, {.name = "COM_CREATE_DB", .treatment = relay});
    set(drop_db, {.name = "COM_DROP_DB", .treatment = relay});
    set(refresh, {.name = "COM_REFRESH", .treatment = relay});
    set(statistics, {.name = "COM_STATISTICS", .treatment = relay, .shape = text});
    set(process_info, {.name = "COM_PROCESS_INFO", .treatment = relay, .shape = result});
    set(debug, {.name = "COM_DEBUG", .treatment = relay});
    set(stmt_prepare, {.name = "COM_STMT_PREPARE", .treatment = relay, .shape = prepare});
    set(stmt_execute, {.name = "COM_STMT_EXECUTE", .treatment = relay, .shape = result, .prepared = true});
    set(stmt_send_long_data, {.name = "COM_STMT_SEND_LONG_DATA", .treatment = relay, .shape = none, .prepared = true});
    set(stmt_close, {.name = "COM_STMT_CLOSE", .treatment = relay, .shape = none, .prepared = true});
    set(stmt_reset, {.name = "COM_STMT_RESET", .treatment = relay, .prepared = true});
    set(stmt_fetch, {.name = "COM_STMT_FETCH", .treatment = relay, .shape = rows, .prepared = true});

    refused(Command::shutdown, "COM_SHUTDOWN", kShutdown);
    refused(Command::clone, "COM_CLONE", kClone);
    refused(binlog_dump, "COM_BINLOG_DUMP", kReplication);
    refused(binlog_dump_gtid, "COM_BINLOG_DUMP_GTID", kReplication);
    refused(table_dump, "COM_TABLE_DUMP", kReplication);
    refused(register_slave, "COM_REGISTER_SLAVE", kReplication);
    refused(subscribe_group_replication_stream, "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM", kReplication);
    refused(sleep, "COM_SLEEP", kInternal);
    refused(connect, "COM_CONNECT", kInternal);
    refused(connect_out, "COM_CONNECT_OUT", kInternal);
    refused(Command::time, "COM_TIME", kInternal);
    refused(Command::daemon, "COM_DAEMON", kInternal);
    refused(mariadb_slave_worker, "COM_SLAVE_WORKER", kInternal);
    refused(mariadb_slave_io, "COM_SLAVE_IO", kInternal);
    refused(mariadb_slave_sql, "COM_SLAVE_SQL", kInternal);
    refused(delayed_insert, "COM_DELAYED_INSERT", kObsolete);
    set(mariadb_stmt_bulk_execute,
        {.name = "COM_STMT_BULK_EXECUTE", .shape = result, .prepared = true, .refusal = kBulk});
    return rules;
}

constexpr auto kRules = make_rules();

}  // namespace

const CommandRule& rule_of(Command command) {
    return kRules[static_cast<std::uint8_t>(command)];
}

}  // namespace tidegate::protocol
