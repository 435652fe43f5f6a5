#include "cli/top_pages.h"

#include <fmt/core.h>

#include <algorithm>

#include "config/values.h"
#include "watch/printable.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;
using watch::Cell;
using watch::Sheet;
using watch::SheetRow;
using watch::Tone;

// What is missing, null or of another kind than it should be is shown as nothing.
std::string text(const json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? watch::printable(at->get<std::string>()) : "";
}

std::uint64_t number(const json& object, const char* key) {
    const auto at = object.find(key);
    if (at == object.end() || !at->is_number_integer()) return 0;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(at->get<std::int64_t>(), 0));
}

std::optional<Duration> time(const json& object, const char* key) {
    const auto at = object.find(key);
    if (at == object.end() || !at->is_number()) return std::nullopt;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(at->get<double>()));
}

const json& list(const json& object, const char* key) {
    static const json kNone = json::array();
    const auto at = object.find(key);
    return at != object.end() && at->is_array() ? *at : kNone;
}

Cell some(std::uint64_t number) {
    return number == 0 ? Cell{"", -1} : watch::number_cell(number);
}

// Details that repeat the row in full: a column may have cut it short.
void finish(Sheet& sheet, SheetRow row) {
    set_words(row);
    if (row.details.empty()) {
        for (std::size_t i = 0; i < sheet.columns.size(); ++i) {
            if (!row.cells[i].text.empty()) row.details.emplace_back(sheet.columns[i].title, row.cells[i].text);
        }
    }
    sheet.rows.push_back(std::move(row));
}

std::string pool_note(const std::string& name, const json& pool) {
    return fmt::format("{}: {} active, {} idle, {} waiting, {} at most, peak {}", name, number(pool, "active"),
                       number(pool, "idle"), number(pool, "waiting"), number(pool, "max"), number(pool, "peak"));
}

// "named_lock 41m: SELECT GET_LOCK(?, ..)", one after the other.
std::string what_pins(const json& client) {
    std::string all;
    for (const auto& pin : list(client, "pins")) {
        if (!pin.is_object()) continue;
        all += (all.empty() ? "" : "; ") + text(pin, "name");
        if (const auto age = time(pin, "seconds")) all += " " + watch::short_time(*age);
        if (const auto statement = text(pin, "statement"); !statement.empty()) all += ": " + statement;
    }
    if (all.empty() && text(client, "held_by") == "session_mode") all = "session mode";
    return all;
}

SheetRow client_row(const json& client) {
    SheetRow row{.key = std::to_string(number(client, "id")), .cells = {}, .words = {}};
    const auto transaction = client.find("in_transaction");
    const bool in_transaction = transaction != client.end() && transaction->is_boolean() && transaction->get<bool>();
    const auto state = text(client, "state");
    row.rests = state == "idle";
    row.tone = row.rests ? (in_transaction ? Tone::attention : Tone::quiet) : Tone::plain;
    row.cells = {watch::number_cell(number(client, "id")),
                 {text(client, "user")},
                 {text(client, "address")},
                 {text(client, "program")},
                 some(number(client, "pid")),
                 {state},
                 watch::time_cell(time(client, "seconds_in_state")),
                 some(number(client, "server_connection")),
                 {in_transaction ? "yes" : ""},
                 {what_pins(client)}};
    return row;
}

void slot_rows(Sheet& sheet, const json& pool, const char* which) {
    const auto name = text(pool, "name");
    const bool holds = std::string_view(which) == "holders";
    for (const auto& each : list(pool, which)) {
        SheetRow row{.key = fmt::format("{}/{}/{}", name, which, number(each, "pid")), .cells = {}, .words = {}};
        if (holds) row.key += fmt::format("/{}", number(each, "slot"));
        row.tone = holds ? Tone::plain : Tone::attention;
        row.cells = {{name},
                     holds ? watch::number_cell(number(each, "slot")) : Cell{"waits", -1},
                     watch::number_cell(number(each, "pid")),
                     {text(each, "account")},
                     watch::time_cell(holds ? time(each, "age_seconds") : time(each, "waited_seconds")),
                     watch::time_cell(time(each, "waited_seconds")),
                     {text(each, "command")}};
        finish(sheet, std::move(row));
    }
}

SheetRow worker_row(const std::string& fleet, const json& worker) {
    SheetRow row{.key = fmt::format("{}/{}", fleet, number(worker, "id")), .cells = {}, .words = {}};
    const auto state = text(worker, "state");
    row.rests = state == "done";
    row.tone = state == "running" ? Tone::plain : row.rests ? Tone::quiet : Tone::attention;
    const auto bytes = number(worker, "rss_bytes");
    row.cells = {{fleet},
                 watch::number_cell(number(worker, "id")),
                 some(number(worker, "pid")),
                 {state},
                 watch::number_cell(number(worker, "restarts")),
                 watch::number_cell(number(worker, "jobs")),
                 bytes == 0 ? Cell{"", -1} : Cell{config::text_of_size(bytes), static_cast<double>(bytes)},
                 watch::time_cell(time(worker, "age_seconds")),
                 {text(worker, "status")},
                 {text(worker, "last_exit")}};
    return row;
}

}  // namespace

Sheet gate_sheet(const json& pool, const json& clients) {
    Sheet sheet{.name = "Gate",
                .columns = {{"ID", 5, 10, true, 9},
                            {"ACCOUNT", 6, 16, false, 7},
                            {"ADDRESS", 9, 24, false, 3},
                            {"PROGRAM", 12, 30, false, 8},
                            {"PID", 5, 8, true, 4},
                            {"STATE", 7, 16, false, 8},
                            {"TIME", 5, 6, true, 9},
                            {"ON", 5, 10, true, 5},
                            {"TRX", 4, 4, false, 5},
                            {"HELD BY", 8, 0, false, 6}},
                .sort_by = 6,
                .descending = true,
                .empty = "no clients"};
    sheet.notes.push_back(pool_note("pool", pool));
    for (const auto& account : list(pool, "accounts"))
        sheet.notes.push_back(pool_note("  " + text(account, "name"), account));
    for (const auto& client : list(clients, "clients")) finish(sheet, client_row(client));
    return sheet;
}

Sheet slots_sheet(const json& slots) {
    Sheet sheet{.name = "Slots",
                .columns = {{"POOL", 7, 20, false, 6},
                            {"SLOT", 5, 6, true, 8},
                            {"PID", 6, 8, true, 9},
                            {"ACCOUNT", 7, 16, false, 5},
                            {"TIME", 5, 6, true, 9},
                            {"WAITED", 7, 7, true, 4},
                            {"COMMAND", 9, 0, false, 7}},
                .sort_by = 4,
                .descending = true,
                .empty = "no slot is taken; tidegate exec and the libraries take them (docs/slots.md)"};
    for (const auto& pool : list(slots, "pools")) {
        sheet.notes.push_back(fmt::format("{}: {} of {} taken, {} waiting, peak {}, {} found none in time",
                                          text(pool, "name"), number(pool, "active"), number(pool, "max"),
                                          number(pool, "waiting"), number(pool, "peak"), number(pool, "timed_out")));
        slot_rows(sheet, pool, "holders");
        slot_rows(sheet, pool, "line");
    }
    return sheet;
}

Sheet fleet_sheet(const json& workers) {
    Sheet sheet{.name = "Fleet",
                .columns = {{"FLEET", 6, 16, false, 6},
                            {"WORKER", 7, 7, true, 8},
                            {"PID", 6, 8, true, 9},
                            {"STATE", 8, 16, false, 9},
                            {"RESTARTS", 9, 9, true, 4},
                            {"JOBS", 5, 10, true, 5},
                            {"MEMORY", 7, 9, true, 5},
                            {"AGE", 4, 6, true, 7},
                            {"STATUS", 8, 40, false, 6},
                            {"LAST END", 9, 0, false, 3}},
                .empty = "no fleets; [[fleet]] in the gate's configuration makes one (docs/fleet.md)"};
    for (const auto& fleet : list(workers, "fleets")) {
        const auto name = text(fleet, "name");
        const auto why = text(fleet, "why");
        sheet.notes.push_back(fmt::format("{}: {}{}{}, {} of {} running, {} jobs done, {} failed, {} crashes", name,
                                          text(fleet, "state"), why.empty() ? "" : ", ", why, number(fleet, "running"),
                                          number(fleet, "workers"), number(fleet, "jobs_done"),
                                          number(fleet, "jobs_failed"), number(fleet, "crashes")));
        for (const auto& worker : list(fleet, "list")) finish(sheet, worker_row(name, worker));
    }
    return sheet;
}

std::string gate_figures(const json& pool) {
    return pool_note("gate", pool);
}

}  // namespace tidegate::cli
