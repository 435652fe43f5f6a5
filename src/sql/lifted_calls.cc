#include "sql/lifted_calls.h"

#include "sql/call_names.h"

namespace tidegate::sql {
namespace {

void put_in(const RoutineSet::Effects& effects, Facts& facts) {
    facts.calls_query = effects.queries;
    if (facts.only_calls_ask && !effects.asks_insert_id) facts.asks.remove(Ask::last_insert_id);
    if (facts.kind != Kind::call) return;
    facts.sets_last_insert_id |= effects.sets_insert_id;
    facts.calc_found_rows |= effects.queries;
}

}  // namespace

void lift_calls(Facts& facts, std::string_view text, Mode mode, std::string_view schema, const RoutineSet& known) {
    Pins others = facts.pins;
    others.remove(kCallPins);
    if (others.any() || facts.pins.none()) return;
    const CalledNames names(text, facts, mode);
    if (!names.sure()) return;
    RoutineSet::Effects effects;
    for (const CalledName& each : names.all()) {
        const bool qualified = !each.schema.empty();
        if (!qualified && schema.empty()) return;
        const auto* found = known.find(qualified ? each.schema : schema, each.name, each.procedure, qualified);
        if (found == nullptr) return;
        effects.add(*found);
    }
    facts.lifted = facts.pins;
    facts.pins = {};
    if (facts.kind == Kind::call) facts.touches_tables = names.from();
    put_in(effects, facts);
}

void trust_calls(Facts& facts) {
    facts.pins.remove(kCallPins);
    facts.trusted_calls = true;
    put_in({.asks_insert_id = true, .sets_insert_id = true, .queries = true}, facts);
}

}  // namespace tidegate::sql
