#include "sql/routine_set.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/letters.h"

namespace tidegate::sql {
namespace {}  // namespace

RoutineSet::RoutineSet(const RoutineSource& routines, const std::vector<ProgramSource>& programs)
    : packages_(routines.packages), loadable_(routines.loadable), loadable_known_(routines.loadable_known) {
    Table all;
    for (const auto& each : routines.routines) all[{each.schema, each.name, each.procedure}] = &each;
    find_safe(all);
    find_hidden(all, programs);
    for (auto each = routines.routines.begin(); !routines.programs_visible && each != routines.routines.end(); ++each) {
        if (hidden_.empty() && each->facts.hidden == kTakesLock && each->schema != "sys") {
            hidden_ = fmt::format("{}.{}: {}, and the monitor's account may not see which triggers and views call it",
                                  each->schema, each->name, kTakesLock);
        }
    }
}

// nullptr: it is not known what is called.
const RoutineSource::Routine* RoutineSet::called(const Table& all, const RoutineCall& call,
                                                 const std::string& schema) const {
    const bool qualified = !call.schema.empty();
    if (qualified && packages_.contains(lower(call.schema))) return nullptr;
    if (!qualified && !call.procedure && (!loadable_known_ || loadable_.contains(call.name))) return nullptr;
    const auto found = all.find({qualified ? call.schema : schema, call.name, call.procedure});
    return found == all.end() ? nullptr : found->second;
}

// Those that are safe in themselves, less those that call one that is not, until nothing changes. Then what they do
// all the same is what those do that they call.
void RoutineSet::find_safe(const Table& all) {
    for (const auto& [key, routine] : all) {
        if (!routine->facts.unsafe.empty()) continue;
        safe_[key] = {.asks_insert_id = routine->facts.asks_insert_id,
                      .sets_insert_id = routine->facts.sets_insert_id,
                      .queries = routine->facts.queries};
    }
    const auto safe = [&](const RoutineCall& call, const std::string& schema) {
        const auto* routine = called(all, call, schema);
        return routine == nullptr ? safe_.end() : safe_.find({routine->schema, routine->name, routine->procedure});
    };
    for (bool changed = true; std::exchange(changed, false);) {
        changed = std::erase_if(safe_, [&](const auto& each) {
                      return !std::ranges::all_of(all.at(each.first)->facts.calls, [&](const RoutineCall& call) {
                          return safe(call, each.first.schema) != safe_.end();
                      });
                  }) > 0;
    }
    for (bool changed = true; std::exchange(changed, false);) {
        for (auto& [key, effects] : safe_) {
            for (const RoutineCall& call : all.at(key)->facts.calls) {
                Effects with = effects;
                const Effects& theirs = safe(call, key.schema)->second;
                // What a function does to LAST_INSERT_ID() ends with it.
                with.add({.asks_insert_id = theirs.asks_insert_id,
                          .sets_insert_id = theirs.sets_insert_id && key.procedure && call.procedure,
                          .queries = theirs.queries});
                changed |= with.asks_insert_id != effects.asks_insert_id ||
                           with.sets_insert_id != effects.sets_insert_id || with.queries != effects.queries;
                effects = with;
            }
        }
    }
}

// A routine whose body nobody could read may do anything. What is not there at all is the server's own, or an error.
void RoutineSet::find_hidden(const Table& all, const std::vector<ProgramSource>& programs) {
    std::set<const RoutineSource::Routine*> seen;
    std::vector<std::pair<const RoutineFacts*, const std::string*>> next;
    for (const ProgramSource& program : programs) {
        seen.clear();
        next.assign(1, {&program.facts, &program.schema});
        while (!next.empty() && hidden_.empty()) {
            const auto [facts, schema] = next.back();
            next.pop_back();
            if (!facts->hidden.empty()) hidden_ = fmt::format("{}.{}: {}", program.schema, program.name, facts->hidden);
            for (const RoutineCall& call : facts->calls) {
                const bool qualified = !call.schema.empty();
                if (qualified && packages_.contains(lower(call.schema)))
                    hidden_ = fmt::format("{}.{}: it calls a package's routine", program.schema, program.name);
                const auto found = all.find({qualified ? call.schema : *schema, call.name, call.procedure});
                if (found != all.end() && seen.insert(found->second).second)
                    next.emplace_back(&found->second->facts, &found->second->schema);
            }
        }
        if (!hidden_.empty()) return;
    }
}

const RoutineSet::Effects* RoutineSet::find(std::string_view schema, std::string_view name, bool procedure,
                                            bool qualified) const {
    Key key{.schema = std::string(schema), .name = lower(name), .procedure = procedure};
    if (qualified && packages_.contains(lower(schema))) return nullptr;
    if (!qualified && !procedure && (!loadable_known_ || loadable_.contains(key.name))) return nullptr;
    const auto found = safe_.find(key);
    return found == safe_.end() ? nullptr : &found->second;
}

}  // namespace tidegate::sql
