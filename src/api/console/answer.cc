#include "api/console/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "api/console/sheet.h"
#include "api/console/shows.h"
#include "api/console/statement.h"
#include "api/console/variables.h"

namespace tidegate::api::console {
namespace {

using protocol::TextTable;
using proxy::ConsoleAnswer;
using proxy::ConsoleDone;
using proxy::ConsoleQuestion;

TextTable show_help(const Sources&);
TextTable show_tables(const Sources&);

TextTable show_databases(const Sources&) {
    Sheet sheet{{"Database"}};
    sheet.row().add(proxy::kConsoleSchema);
    return sheet.take();
}

TextTable show_variables(const Sources&) {
    Sheet sheet{{"Variable_name"}, {"Value"}};
    for (const Variable& each : variables()) sheet.row().add(each.name).add(each.value);
    return sheet.take();
}

TextTable show_status(const Sources& sources) {
    TextTable table = show_stats(sources);
    table.columns = {{"Variable_name"}, {"Value"}};
    return table;
}

TextTable show_warnings(const Sources&) {
    return Sheet{{"Level"}, {"Code", Sheet::kNumber}, {"Message"}}.take();
}

struct Show {
    std::string_view name;
    std::string_view help;  // empty: for programs that ask by themselves, and not told
    TextTable (*make)(const Sources&);
};
constexpr std::array<Show, 20> kShows{
    {{"POOLS", "server connections and the line, by account; the row (all) is the whole gate", show_pools},
     {"CLIENTS", "who is connected, what each holds, why (pins), and what to do about it", show_clients},
     {"SERVERS", "the gate's connections to the server, and which client has each", show_servers},
     {"SERVER", "the server: state, last error, and where the limit of connections comes from", show_server},
     {"STATS", "all figures since the gate's start; SHOW STATS LIKE 'line%'", show_stats},
     {"SLOTS", "the pools of slots", show_slots},
     {"HOLDERS", "who holds slots, and who waits for one", show_holders},
     {"FLEETS", "the fleets of workers", show_fleets},
     {"WORKERS", "each worker of the fleets", show_workers},
     {"CONFIG", "the settings that hold now, and the usual ones", show_config},
     {"VERSION", "the versions of the gate and of the server", show_version},
     {"HELP", "this list", show_help},
     {"PROCESSLIST", {}, show_clients},
     {"DATABASES", {}, show_databases},
     {"SCHEMAS", {}, show_databases},
     {"TABLES", {}, show_tables},
     {"VARIABLES", {}, show_variables},
     {"STATUS", {}, show_status},
     {"WARNINGS", {}, show_warnings},
     {"ERRORS", {}, show_warnings}}};

struct Help {
    std::string_view statement;
    std::string_view what;
};
constexpr std::array<Help, 5> kOrders{
    {{"PAUSE", "no client gets a server connection any more; those in use are closed as they become free"},
     {"RESUME", "clients are served again"},
     {"RELOAD", "reads the configuration again, as SIGHUP does"},
     {"KILL id", "ends that client's connection; its transaction is rolled back"},
     {"KILL QUERY id", "ends only the statement that it is running"}}};

TextTable show_help(const Sources&) {
    Sheet sheet{{"statement"}, {"what"}};
    for (const Show& each : kShows) {
        if (!each.help.empty()) sheet.row().add(fmt::format("SHOW {}", each.name)).add(each.help);
    }
    for (const auto& [statement, what] : kOrders) sheet.row().add(statement).add(what);
    return sheet.take();
}

TextTable show_tables(const Sources&) {
    Sheet sheet{{"Tables_in_tidegate"}};
    for (const Show& each : kShows) {
        std::string name(each.name);
        std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
        if (!each.help.empty()) sheet.row().add(name);
    }
    return sheet.take();
}

// LIKE goes by the first column of text.
void keep_only(TextTable& table, const std::string& pattern) {
    const auto column = std::ranges::find(table.columns, TextTable::Type::text, &TextTable::Column::type);
    const auto at = static_cast<std::size_t>(column - table.columns.begin());
    std::erase_if(table.rows,
                  [&](const auto& row) { return at < row.size() && !is_like(row[at].value_or(""), pattern); });
}

ConsoleAnswer show(const Statement& statement, const Sources& sources) {
    const auto found = std::ranges::find(kShows, statement.name, &Show::name);
    if (found == kShows.end()) {
        std::string known;
        for (const Show& each : kShows) {
            if (!each.help.empty()) known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
        }
        return Error{1064, "42000",
                     fmt::format("The console of Tidegate has no SHOW {}; it has {}", statement.name, known)};
    }
    TextTable table = found->make(sources);
    if (statement.like) keep_only(table, *statement.like);
    return table;
}

// The value of a function or variable; an error where there is none of that name.
Result<TextTable::Cell> value_of(const Statement::Item& item, const ConsoleQuestion& question, const Sources& sources) {
    using Kind = Statement::Item::Kind;
    if (item.null) return TextTable::Cell();
    if (item.kind == Kind::constant) return TextTable::Cell(item.name);
    const std::string& name = item.name;
    if (name == "version") {
        const std::string of_server = sources.gate().server.version;
        return (of_server.empty() ? std::string(TIDEGATE_VERSION) : of_server) + "-tidegate";
    }
    if (item.kind == Kind::variable) {
        if (const auto value = variable(name)) return std::string(*value);
        return fail(1193, "HY000", fmt::format("Unknown system variable '{}': this is the console of Tidegate", name));
    }
    if (name == "database" || name == "schema") return std::string(proxy::kConsoleSchema);
    if (name == "user" || name == "current_user" || name == "session_user" || name == "system_user")
        return fmt::format("{}@{}", question.user, question.host);
    if (name == "connection_id") return std::to_string(question.client);
    return fail(1305, "42000",
                fmt::format("The console of Tidegate has no function {}; SHOW HELP says what there is", name));
}

ConsoleAnswer select(const Statement& statement, const ConsoleQuestion& question, const Sources& sources) {
    TextTable table{.columns = {}, .rows = {{}}};
    for (const auto& item : statement.items) {
        auto value = value_of(item, question, sources);
        if (!value) return value.error();
        table.columns.push_back({.name = watch::printable(item.column)});
        table.rows.front().push_back(std::move(*value));
    }
    return table;
}

ConsoleAnswer use(const Statement& statement) {
    if (statement.name == proxy::kConsoleSchema) return ConsoleDone{};
    return Error{
        1049, "42000",
        fmt::format(
            "Unknown database '{}': the console of Tidegate has only {}. For the server's schemas, connect again and "
            "name one of them",
            watch::printable(statement.name), proxy::kConsoleSchema)};
}

ConsoleAnswer carried_out(Result<void> order, const char* done) {
    if (!order) return std::move(order.error());
    return ConsoleDone{done};
}

ConsoleAnswer answer_to(const ConsoleQuestion& question, const Sources& sources) {
    using What = Statement::What;
    const Result<Statement> statement = parse(question.text);
    if (!statement) return statement.error();
    switch (statement->what) {
        case What::show:
            return show(*statement, sources);
        case What::select:
            return select(*statement, question, sources);
        case What::use:
            return use(*statement);
        case What::pause:
            return carried_out(sources.pause(), "Paused; SHOW POOLS tells when `open` is 0. RESUME lets clients go on");
        case What::resume:
            return carried_out(sources.resume(), "Resumed");
        case What::reload:
            return carried_out(sources.reload(), "Reloaded");
        case What::kill:
            return carried_out(sources.kill(statement->id, statement->query_only), "");
        case What::settle:
            break;
    }
    return ConsoleDone{};
}

}  // namespace

ConsoleAnswer answer(const ConsoleQuestion& question, const Sources& sources) {
    constexpr std::size_t kLongestError = 500;
    ConsoleAnswer said = answer_to(question, sources);
    // It may quote what was sent, which is anything.
    if (auto* error = std::get_if<Error>(&said))
        error->message = watch::shortened(watch::printable(error->message), kLongestError);
    return said;
}

}  // namespace tidegate::api::console
