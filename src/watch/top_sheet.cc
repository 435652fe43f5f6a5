#include "watch/top_sheet.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/letters.h"
#include "watch/holders.h"
#include "watch/printable.h"

namespace tidegate::watch {
namespace {

struct Unit {
    long seconds;
    char letter;
};
constexpr std::array<Unit, 4> kUnits{{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};

std::string program_text(const Connection& c) {
    if (c.kind != Kind::client) return fmt::format("({})", name_of(c.kind));
    return printable(c.program());
}

Cell pid_cell(const Connection& c) {
    if (c.local && c.local->pid != 0) return number_cell(static_cast<std::uint64_t>(c.local->pid));
    if (c.local && !c.local->one_of.empty()) return {fmt::format("of {}", c.local->one_of.size()), 0};
    if (c.pid) return number_cell(static_cast<std::uint64_t>(*c.pid));
    return {"", -1};
}

Tone tone_of(const Connection& c, Duration long_statement) {
    if (c.kind != Kind::client) return Tone::quiet;
    if (!c.sleeping()) return c.time >= long_statement ? Tone::critical : Tone::plain;
    return c.in_transaction ? Tone::attention : Tone::quiet;
}

using Details = std::vector<std::pair<std::string, std::string>>;

void add(Details& details, const char* label, const std::string& text) {
    if (!text.empty()) details.emplace_back(label, printable(text));
}

void add_program(Details& details, const Connection& c) {
    if (!c.local) {
        add(details, "Program", c.program_name);
        if (c.pid) add(details, "Process", fmt::format("{} on {}", *c.pid, c.host));
        return;
    }
    const auto& p = *c.local;
    add(details, "Program", p.name);
    if (p.pid != 0)
        add(details, "Process", fmt::format("{}, started by {}", p.pid, p.parent));
    else
        add(details, "Process", fmt::format("one of {}: which one is not known", words_of_pids(p.one_of)));
    add(details, "Runs as", p.account);
    if (p.started) {
        const auto when = std::chrono::system_clock::to_time_t(*p.started);
        add(details, "Started", fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(when)));
    }
    add(details, "Command line", p.command);
    add(details, "Script", p.script);
    add(details, "Folder", p.folder);
}

Details details_of(const Connection& c) {
    Details details;
    add(details, "Connection", std::to_string(c.id));
    if (c.kind != Kind::client) add(details, "Never ended", why_never_ended(c.kind));
    add(details, "Account", c.user);
    add(details, "From", c.port != 0 ? fmt::format("{}, port {}", c.host, c.port) : c.host);
    add(details, "Schema", c.schema);
    add(details, "Command", fmt::format("{}, for {}", c.command, words_of(c.time)));
    add(details, "State", c.state);
    if (c.in_transaction)
        add(details, "Transaction",
            fmt::format("open for {}, {} rows changed, {} locked", words_of(*c.in_transaction), c.rows_modified,
                        c.rows_locked));
    add_program(details, c);
    add(details, "Statement", c.statement);
    return details;
}

SheetRow row_of(const Connection& c, Duration long_statement) {
    SheetRow row;
    row.key = std::to_string(c.id);
    row.connection = c.id;
    row.rests = c.sleeping();
    row.tone = tone_of(c, long_statement);
    row.cells = {number_cell(c.id),
                 {printable(c.user)},
                 {printable(c.host)},
                 {program_text(c)},
                 pid_cell(c),
                 {printable(c.schema)},
                 {printable(c.command)},
                 time_cell(c.time),
                 time_cell(c.in_transaction),
                 {printable(c.statement.empty() ? c.state : c.statement)}};
    row.words = lower(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", c.user, c.host, program_text(c),
                                  c.local && c.kind == Kind::client ? c.local->command : "", c.schema, c.statement));
    row.details = details_of(c);
    return row;
}

std::string what_is_hidden(const Snapshot& snapshot) {
    std::string note = "Only this account's own connections can be seen.";
    const auto shows_all = [](const Hidden& hidden) { return hidden.grant.starts_with("GRANT PROCESS"); };
    const auto at = std::ranges::find_if(snapshot.hidden, shows_all);
    if (at != snapshot.hidden.end()) note += " To see all: " + at->grant;
    return note;
}

}  // namespace

std::string why_never_ended(Kind kind) {
    switch (kind) {
        case Kind::client:
            return "";
        case Kind::own:
            return "it is Tidegate's own";
        case Kind::gate:
            return "it is of a gate's pool; the gate closes its idle ones itself";
        case Kind::replica:
            return "it brings this server its replication; STOP REPLICA (STOP SLAVE) at the server ends it in order";
        case Kind::binlog_dump:
            return "a replica reads the binary log over it";
        case Kind::event_scheduler:
            return "it is the event scheduler; SET GLOBAL event_scheduler = OFF ends it in order";
        case Kind::system:
            break;
    }
    return "it is a thread of the server itself";
}

std::string short_time(Duration time) {
    const long s = std::max<long>(0, static_cast<long>(seconds(time)));
    for (const auto& unit : kUnits) {
        if (s >= 2 * unit.seconds || unit.seconds == 1) return fmt::format("{}{}", s / unit.seconds, unit.letter);
    }
    return "";
}

Cell number_cell(std::uint64_t number) {
    return {std::to_string(number), static_cast<double>(number)};
}

Cell time_cell(std::optional<Duration> time) {
    if (!time) return {"", -1};
    return {short_time(*time), seconds(*time)};
}

void set_words(SheetRow& row) {
    row.words.clear();
    for (const auto& cell : row.cells) row.words += lower(cell.text) + "\n";
}

Sheet connections_sheet(const Snapshot& snapshot, Duration long_statement) {
    Sheet sheet{.name = "Connections",
                .columns = {{"ID", 5, 10, true, 9},
                            {"ACCOUNT", 6, 16, false, 7},
                            {"HOST", 9, 24, false, 1},
                            {"PROGRAM", 14, 30, false, 8},
                            {"PID", 5, 8, true, 5},
                            {"SCHEMA", 6, 14, false, 2},
                            {"COMMAND", 7, 12, false, 4},
                            {"TIME", 5, 6, true, 9},
                            {"TRX", 4, 5, true, 3},
                            {"STATEMENT", 9, 0, false, 6}},
                .sort_by = 7,
                .descending = true,
                .empty = "no connections"};
    for (const auto& connection : snapshot.connections) {
        if (connection.is_held()) sheet.rows.push_back(row_of(connection, long_statement));
    }
    if (!snapshot.sees_all) sheet.notes.push_back(what_is_hidden(snapshot));
    return sheet;
}

}  // namespace tidegate::watch
