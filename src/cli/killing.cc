#include "cli/killing.h"

#include <fmt/core.h>

#include <thread>

#include "cli/audit_log.h"
#include "cli/commands.h"
#include "watch/killer.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;
using watch::Killed;

json json_of(const watch::Connection& c) {
    json row{{"id", c.id},
             {"user", c.user},
             {"host", c.host},
             {"port", c.port},
             {"schema", c.schema},
             {"command", c.command},
             {"seconds", seconds(c.time)},
             {"program", c.program()},
             {"pid", c.local && c.local->pid != 0 ? json(c.local->pid) : json(nullptr)},
             {"in_transaction", c.in_transaction.has_value()}};
    return row;
}

void say(const Killed& killed, const Killing& killing) {
    const auto who = sentence_of(killed.connection);
    switch (killed.end) {
        case watch::End::ended:
            fmt::print("{}: {}\n", killing.query_only ? "stopped the statement of" : "ended", who);
            return;
        case watch::End::changed:
            fmt::print("left alone, since it is at work again or another by now: {}\n", who);
            return;
        case watch::End::gone:
            fmt::print("had ended by itself: {}\n", who);
            return;
        case watch::End::refused:
            break;
    }
    fmt::print("not ended, {}: {}\n", killed.why, who);
}

void say_spared(const watch::Choice& choice) {
    for (const auto& [kind, count] : choice.spared) {
        if (kind == watch::Kind::own) continue;
        fmt::print("never ended, though the filter fits: {} {} ({})\n", count,
                   count == 1 ? "connection" : "connections",
                   kind == watch::Kind::gate ? "of a gate's pool; the gate closes its idle ones itself"
                                             : std::string(name_of(kind)));
    }
    if (choice.beyond_limit > 0) fmt::print("{} more fit, beyond the limit\n", choice.beyond_limit);
}

void say_dry(const watch::Choice& choice) {
    for (const auto& victim : choice.victims) fmt::print("would end: {}\n", sentence_of(victim));
    say_spared(choice);
    fmt::print("{} would be ended; nothing was, this is a dry run\n", choice.victims.size());
}

}  // namespace

int end_connections(WayIn& way, const watch::Snapshot& snapshot, const Killing& killing) {
    const auto choice = choose(snapshot, killing.filter, killing.which, killing.limit);
    if (killing.dry_run) {
        if (killing.json) {
            json rows = json::array();
            for (const auto& victim : choice.victims) rows.push_back(json_of(victim));
            fmt::print("{}\n", json{{"dry_run", true}, {"would_end", rows}}.dump(2, ' ', false,
                                                                                 json::error_handler_t::replace));
        } else {
            say_dry(choice);
        }
        return kWell;
    }
    const AuditLog audit(choice.victims.empty() ? "/dev/null" : audit_file(killing.audit_log));
    std::map<watch::End, std::size_t> ends;
    json rows = json::array();
    bool first = true;
    for (const auto& victim : choice.victims) {
        if (!std::exchange(first, false) && killing.pause > Duration::zero())
            std::this_thread::sleep_for(killing.pause);
        const auto killed = watch::kill(way.session(), snapshot, victim, killing.query_only);
        ++ends[killed.end];
        audit.write(name_of(killed.end), way.server().text(), sentence_of(killed.connection),
                    killing.filter.text() + (killing.query_only ? "; only its statement" : ""), killed.why);
        if (!killing.json) {
            say(killed, killing);
            continue;
        }
        rows.push_back(json_of(victim));
        rows.back()["end"] = name_of(killed.end);
        if (!killed.why.empty()) rows.back()["why"] = killed.why;
    }
    if (killing.json) {
        fmt::print("{}\n",
                   json{{"dry_run", false}, {"connections", rows}}.dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        say_spared(choice);
        fmt::print("{} ended, {} left alone, {} gone by themselves, {} not ended\n", ends[watch::End::ended],
                   ends[watch::End::changed], ends[watch::End::gone], ends[watch::End::refused]);
    }
    return ends[watch::End::refused] == 0 ? kWell : kAttention;
}

}  // namespace tidegate::cli
