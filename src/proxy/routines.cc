#include "proxy/routines.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/letters.h"
#include "base/log.h"
#include "proxy/core.h"

namespace tidegate::proxy {
namespace {

constexpr Duration kBetweenLooks = 1s;  // at least, however often somebody asks for one

// Everything of a routine's that the judgement depends on. (LAST_ALTERED alone has whole seconds. MySQL 9.7 has no
// MD5().)
constexpr std::string_view kRoutinesSum =
    "SELECT COUNT(*), SUM(CRC32(CONCAT_WS('/', ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, SQL_MODE, LAST_ALTERED, "
    "SHA2(ROUTINE_DEFINITION, 256)))) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA <> 'mysql'";
constexpr std::string_view kProgramsSum =
    "SELECT (SELECT CONCAT_WS('/', COUNT(*), SUM(CRC32(CONCAT_WS('/', TRIGGER_SCHEMA, TRIGGER_NAME, SQL_MODE, "
    "ACTION_STATEMENT)))) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN ('sys', 'mysql')), "
    "(SELECT CONCAT_WS('/', COUNT(*), SUM(CRC32(CONCAT_WS('/', TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION)))) FROM "
    "information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN ('sys', 'mysql', 'information_schema', 'performance_schema'))";
constexpr std::string_view kRoutines =
    "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_BODY, SQL_MODE, ROUTINE_DEFINITION FROM "
    "information_schema.ROUTINES WHERE ROUTINE_SCHEMA <> 'mysql'";
constexpr std::string_view kParameters =
    "SELECT SPECIFIC_SCHEMA, SPECIFIC_NAME, ROUTINE_TYPE, PARAMETER_NAME FROM information_schema.PARAMETERS WHERE "
    "PARAMETER_NAME IS NOT NULL AND SPECIFIC_SCHEMA <> 'mysql'";
constexpr std::string_view kTriggers =
    "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, SQL_MODE, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE "
    "TRIGGER_SCHEMA NOT IN ('sys', 'mysql')";
constexpr std::string_view kSeesPrograms =
    "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE IN ('SELECT', 'TRIGGER', 'SHOW "
    "VIEW') "
    "AND GRANTEE = CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', "
    "QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))";
constexpr std::string_view kViews =
    "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN ('sys', "
    "'mysql', 'information_schema', 'performance_schema')";

bool has_high(std::string_view text) {
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) & 0x80U) != 0) return true;
    }
    return false;
}

std::string sum_of(const Answer& answer) {
    std::string sum;
    for (const auto& row : answer.rows()) {
        for (const auto& field : row) sum.append(field.value_or("-")).append(1, ' ');
    }
    return answer.outcome.error ? std::string() : sum;
}

}  // namespace

void Routines::forget() {
    known_ = false;
    ++version_;
}

void Routines::changing(ServerConnection& connection) {
    if (std::exchange(connection.changes_routines, true)) return;
    ++under_way_;
    ++changes_;
    forget();
}

void Routines::changed(ServerConnection& connection) {
    if (!std::exchange(connection.changes_routines, false)) return;
    --under_way_;
    ++changes_;
    suspect();
}

void Routines::suspect() {
    if (std::exchange(wanted_, true)) return;
    core_.monitor.wake();
}

void Routines::lost() {
    forget();
    wanted_ = true;
    looks_ = 0;
}

sql::Mode Routines::mode(std::string_view sql_mode) const {
    const auto has = [&](std::string_view part) { return sql_mode.find(part) != std::string_view::npos; };
    sql::Mode mode;
    const bool mariadb = core_.upstream.flavour() == protocol::Flavour::mariadb;
    mode.dialect = mariadb ? sql::Dialect::mariadb : sql::Dialect::mysql;
    mode.ansi_quotes = has("ANSI");
    mode.no_backslash_escapes = has("NO_BACKSLASH_ESCAPES");
    mode.ignore_space = has("IGNORE_SPACE");
    return mode;
}

net::Task<bool> Routines::look(ServerConnection& connection) {
    const TimePoint now = core_.loop.now();
    const bool asked = std::exchange(wanted_, false);
    earliest_ = now + kBetweenLooks;
    next_ = now + core_.config.server.monitor_interval;
    const std::uint64_t began = changes_;
    const bool programs_too = asked || looks_++ % kLooksBetweenPrograms == 0;
    const Result<Answer> routines = co_await connection.query(kRoutinesSum);
    if (!routines) co_return false;
    if (routines->outcome.error) {
        if (!std::exchange(told_, true)) {
            log::warn(
                "The server does not tell the gate about its stored routines ({}): calls of any pin their clients",
                routines->error.message);
        }
        forget();
        co_return true;
    }
    std::string routines_sum = sum_of(*routines);
    std::string programs_sum = programs_sum_;
    if (programs_too) {
        const Result<Answer> programs = co_await connection.query(kProgramsSum);
        if (!programs) co_return false;
        programs_sum = sum_of(*programs);
    }
    const bool as_before = routines_sum == routines_sum_ && programs_sum == programs_sum_;
    if (!as_before) {
        forget();
        sql::RoutineSource fresh;
        std::vector<sql::ProgramSource> programs;
        bool alive = co_await read_routines(connection, fresh);
        if (alive) alive = co_await read_loadable(connection, fresh);
        if (alive) alive = co_await read_programs(connection, fresh, programs);
        if (!alive) co_return false;
        routines_ = std::move(fresh);
        programs_ = std::move(programs);
        routines_sum_ = std::move(routines_sum);
        programs_sum_ = std::move(programs_sum);
        set_ = sql::RoutineSet(routines_, programs_);
        core_.set_hidden(set_.hidden());
        log::info(
            "Read the bodies of {} stored routines: {} of them leave nothing behind, and calling them pins nobody",
            routines_.routines.size(), set_.size());
    }
    if (changes_ != began || under_way_ > 0) {  // what was read may be from before
        wanted_ = wanted_ || under_way_ == 0;
    } else if (!known_ && !routines_sum_.empty()) {
        known_ = true;
        ++version_;
    }
    co_return true;
}

net::Task<bool> Routines::read_routines(ServerConnection& connection, sql::RoutineSource& to) {
    const Result<Answer> parameters = co_await connection.query(kParameters);
    if (!parameters) co_return false;
    std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> names;
    for (const auto& row : parameters->rows()) {
        if (row.size() < 4 || !row[0] || !row[1] || !row[2] || !row[3]) continue;
        names[{std::string(*row[0]), lower(*row[1]), std::string(*row[2])}].push_back(lower(*row[3]));
    }
    const Result<Answer> bodies = co_await connection.query(kRoutines);
    if (!bodies) co_return false;
    for (const auto& row : bodies->rows()) {
        if (row.size() < 6 || !row[0] || !row[1] || !row[2]) continue;
        if (row[2]->starts_with("PACKAGE")) {
            to.packages.insert(lower(*row[1]));
            continue;
        }
        sql::RoutineSource::Routine routine{
            .schema = std::string(*row[0]), .name = lower(*row[1]), .procedure = *row[2] == "PROCEDURE", .facts = {}};
        const std::string_view sql_mode = row[4].value_or("");
        const bool readable = row[3] == "SQL" && row[5] && !row[5]->empty() && !has_high(*row[1]);
        if (readable && sql_mode.find("ORACLE") == std::string_view::npos) {
            const auto& locals = names[{routine.schema, routine.name, std::string(*row[2])}];
            routine.facts = sql::scan_routine(
                *row[5], routine.procedure ? sql::Program::procedure : sql::Program::function, mode(sql_mode), locals);
        } else {
            routine.facts.unsafe = routine.facts.hidden = "its body cannot be read";
        }
        to.routines.push_back(std::move(routine));
    }
    co_return true;
}

// Both tables are read where they can be: MySQL's components have functions that only the second one lists.
net::Task<bool> Routines::read_loadable(ServerConnection& connection, sql::RoutineSource& to) {
    const bool mariadb = core_.upstream.flavour() == protocol::Flavour::mariadb;
    for (const std::string_view query :
         {"SELECT name FROM mysql.func", "SELECT UDF_NAME FROM performance_schema.user_defined_functions"}) {
        const Result<Answer> found = co_await connection.query(query);
        if (!found) co_return false;
        to.loadable_known = to.loadable_known || !found->outcome.error;
        for (const auto& row : found->rows()) {
            if (!row.empty() && row[0]) to.loadable.insert(lower(*row[0]));
        }
        if (mariadb) break;
    }
    co_return true;
}

net::Task<bool> Routines::read_programs(ServerConnection& connection, sql::RoutineSource& routines,
                                        std::vector<sql::ProgramSource>& to) {
    const Result<Answer> privileges = co_await connection.query(kSeesPrograms);
    if (!privileges) co_return false;
    routines.programs_visible = sum_of(*privileges) == "3 ";
    const Result<Answer> triggers = co_await connection.query(kTriggers);
    if (!triggers) co_return false;
    for (const auto& row : triggers->rows()) {
        if (row.size() < 4 || !row[0] || !row[1] || !row[3]) continue;
        to.push_back({.schema = std::string(*row[0]),
                      .name = std::string(*row[1]),
                      .facts = sql::scan_routine(*row[3], sql::Program::trigger, mode(row[2].value_or("")), {})});
    }
    const Result<Answer> views = co_await connection.query(kViews);
    if (!views) co_return false;
    for (const auto& row : views->rows()) {
        if (row.size() < 3 || !row[0] || !row[1] || !row[2]) continue;
        to.push_back({.schema = std::string(*row[0]),
                      .name = std::string(*row[1]),
                      .facts = sql::scan_routine(*row[2], sql::Program::view, mode(""), {})});
    }
    co_return true;
}

}  // namespace tidegate::proxy
