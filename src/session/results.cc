#include "session/results.h"

namespace tidegate::session {

using protocol::Flavour;
using sql::Kind;

void Results::start() {
    row_count_ = 0;
    found_rows_ = flavour_ == Flavour::mariadb ? 1 : 0;
    warning_count_ = 0;
    row_count_left_ = found_rows_left_ = warnings_left_ = Left::here;
    may_have_warnings_ = false;
}

void Results::warn(std::uint16_t count, Left left) {
    if (left != Left::as_before) {
        warning_count_ = count;
        may_have_warnings_ = left == Left::on_server;
    }
    warnings_left_ = left;
}

// Of a statement that ended well and without warnings of its own.
bool Results::keeps_warnings(const sql::Facts& facts) const {
    if (facts.statements == 0) return true;  // a command without a text, as COM_INIT_DB is
    if (facts.statements == 1 && facts.kind == Kind::show && facts.asks.has(sql::Ask::warnings)) return true;
    return flavour_ == Flavour::mariadb && !facts.touches_tables;
}

void Results::after(const sql::Facts& facts, const Outcome& outcome) {
    row_count_left_ = Left::here;
    row_count_ = outcome.error || outcome.had_rows ? -1 : static_cast<std::int64_t>(outcome.affected_rows);

    // Within several statements MariaDB keeps those of an earlier one, if the later ones touch no table.
    const bool warned = outcome.warnings > 0 || (outcome.any_warnings && flavour_ == Flavour::mariadb);
    if (outcome.error || warned) {
        warn(outcome.error ? std::uint16_t{0} : outcome.warnings, Left::on_server);
    } else if (facts.calls_query && keeps_warnings(facts)) {
        // MariaDB: those that were there are gone if what was called has come to a statement with a table in it.
        warn(0, may_have_warnings_ ? Left::on_server : Left::here);
    } else {
        warn(0, keeps_warnings(facts) ? Left::as_before : Left::here);
    }

    const bool several = facts.statements > 1;
    const bool counts =
        several || facts.kind == Kind::select || (facts.kind == Kind::show && !facts.asks.has(sql::Ask::warnings));
    found_rows_left_ = Left::as_before;
    if (facts.calc_found_rows && (several || !outcome.error || facts.kind == Kind::call)) {
        found_rows_left_ = Left::on_server;
    } else if (counts && outcome.any_rows && (several || !outcome.error)) {
        found_rows_left_ = Left::here;
        found_rows_ = outcome.rows;
    } else if (!several && facts.kind == Kind::select && !outcome.error) {  // SELECT .. INTO
        found_rows_left_ = Left::here;
        found_rows_ = outcome.affected_rows;
    }
}

void Results::prepared(const Outcome& outcome) {
    found_rows_left_ = Left::as_before;
    row_count_left_ = outcome.error ? Left::here : Left::as_before;
    if (outcome.error) row_count_ = -1;
    if (outcome.error || outcome.warnings > 0) {
        warn(outcome.warnings, Left::on_server);
    } else {
        warn(0, flavour_ == Flavour::mariadb ? Left::as_before : Left::here);
    }
}

void Results::killed() {
    row_count_ = 0;
    found_rows_left_ = Left::as_before;
    warn(0, Left::here);
}

void Results::answered(sql::Bare question) {
    row_count_ = -1;
    found_rows_left_ = warnings_left_ = Left::as_before;
    if (question == sql::Bare::show_warnings || question == sql::Bare::show_errors) return;
    found_rows_left_ = Left::here;
    found_rows_ = 1;
    if (flavour_ == Flavour::mysql) warn(0, Left::here);
}

}  // namespace tidegate::session
