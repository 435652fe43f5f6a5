// The commands of MySQL 9.7 and MariaDB 11.8, and what the gate does with each: none is passed on blindly.
// Source: "Command Phase" of the MySQL source documentation, MariaDB's "2 - Text protocol" and "3 - Binary protocol".
#pragma once

#include <cstdint>
#include <string_view>

namespace tidegate::protocol {

enum class Command : std::uint8_t {
    sleep = 0x00,
    quit = 0x01,
    init_db = 0x02,
    query = 0x03,
    field_list = 0x04,
    create_db = 0x05,
    drop_db = 0x06,
    refresh = 0x07,
    shutdown = 0x08,
    statistics = 0x09,
    process_info = 0x0A,
    connect = 0x0B,
    process_kill = 0x0C,
    debug = 0x0D,
    ping = 0x0E,
    time = 0x0F,
    delayed_insert = 0x10,
    change_user = 0x11,
    binlog_dump = 0x12,
    table_dump = 0x13,
    connect_out = 0x14,
    register_slave = 0x15,
    stmt_prepare = 0x16,
    stmt_execute = 0x17,
    stmt_send_long_data = 0x18,
    stmt_close = 0x19,
    stmt_reset = 0x1A,
    set_option = 0x1B,
    stmt_fetch = 0x1C,
    daemon = 0x1D,
    binlog_dump_gtid = 0x1E,
    reset_connection = 0x1F,
    clone = 0x20,
    subscribe_group_replication_stream = 0x21,
    mariadb_stmt_bulk_execute = 0xFA,
    mariadb_slave_worker = 0xFB,
    mariadb_slave_io = 0xFC,
    mariadb_slave_sql = 0xFD,
};

// What the reply to a command looks like.
enum class ReplyShape : std::uint8_t {
    none,        // COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA, COM_QUIT
    ok,          // OK or ERR (or, of COM_SET_OPTION and COM_DEBUG, EOF)
    result,      // OK, ERR, LOCAL INFILE, or result sets, as many as MORE_RESULTS says
    prepare,     // COM_STMT_PREPARE's
    rows,        // COM_STMT_FETCH: rows, then their end
    field_list,  // column definitions, then their end
    text,        // COM_STATISTICS: one packet of text
};

enum class Treatment : std::uint8_t {
    relay,   // goes to the server, on a lease
    answer,  // the gate itself answers (COM_PING, COM_QUIT, COM_CHANGE_USER, ..)
    refuse,  // an error that says why (replication, internal commands, shutdown)
};

struct CommandRule {
    std::string_view name{};  // "COM_QUERY"; "unknown command" for a byte that is none
    Treatment treatment = Treatment::refuse;
    ReplyShape shape = ReplyShape::ok;
    bool prepared = false;       // works on a prepared statement: the id is in the first four bytes behind the command
    std::string_view refusal{};  // why, and what to do instead
};

[[nodiscard]] const CommandRule& rule_of(Command command);

}  // namespace tidegate::protocol
