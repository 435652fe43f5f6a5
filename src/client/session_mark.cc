#include "client/session_mark.h"

namespace tidegate::client {
namespace {

// Kinds that leave nothing in their session, unless a pin says so. (A transaction is known from the server's status.)
bool leaves_nothing(sql::Kind kind) {
    switch (kind) {
        case sql::Kind::empty:
        case sql::Kind::select:
        case sql::Kind::insert:
        case sql::Kind::update:
        case sql::Kind::delete_:
        case sql::Kind::replace:
        case sql::Kind::begin:
        case sql::Kind::commit:
        case sql::Kind::rollback:
        case sql::Kind::show:
        case sql::Kind::ddl:
        case sql::Kind::explain:
        case sql::Kind::do_:
            return true;
        default:
            return false;
    }
}

constexpr sql::Pins kBeyondReset{sql::Pin::role, sql::Pin::xa, sql::Pin::profiling, sql::Pin::instance_lock};

}  // namespace

void SessionMark::sent(const sql::Facts& facts) {
    if (facts.pins.any() || !leaves_nothing(facts.kind) || facts.statements > 1) dirty_ = true;
    // A routine may hold a USE; so may a text that was not seen.
    if (facts.kind == sql::Kind::use || facts.kind == sql::Kind::call || facts.kind == sql::Kind::execute ||
        facts.kind == sql::Kind::unknown) {
        schema_changed_ = true;
    }
    if (facts.pins.intersects(kBeyondReset)) beyond_reset_ = true;
}

}  // namespace tidegate::client
