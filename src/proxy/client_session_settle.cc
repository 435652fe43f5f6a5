// ClientSession: what has become of the session when a statement is over, what only the server can tell of that, and
// whether the lease may end.
#include <utility>

#include "protocol/packets.h"
#include "proxy/client_session.h"
#include "proxy/core.h"
#include "session/user_variables.h"

namespace tidegate::proxy {

using protocol::ReplyWalker;

namespace {

// Whether a trigger or a function may have run before the error came, and left something in the session: no tracker
// tells of what a failing statement did. Not after those errors that a statement gets before it begins.
bool may_have_run_a_program(std::uint16_t error) {
    switch (error) {
        case 1007:  // of schemas
        case 1008:
        case 1044:
        case 1046:
        case 1049:
        case 1045:  // of privileges
        case 1142:
        case 1143:
        case 1227:
        case 1370:
        case 1050:  // of names
        case 1051:
        case 1054:
        case 1146:
        case 1305:
        case 1064:  // of syntax
        case 1065:
        case 1094:  // of KILL
        case 1193:  // of SET
        case 1231:
        case 1235:
            return false;
        default:
            return true;
    }
}

// One statement that touches a table without any doubt.
bool changes_rows(const sql::Facts& facts) {
    return facts.statements == 1 && (facts.kind == sql::Kind::insert || facts.kind == sql::Kind::update ||
                                     facts.kind == sql::Kind::delete_ || facts.kind == sql::Kind::replace);
}

}  // namespace

// The reply is with the client. What has become of the session, and may the lease end? True: that is done, as after
// most statements; false: settle() has more to do, and to ask.
bool ClientSession::settle_at_once(protocol::ReplyShape shape, const sql::Facts& facts, Unsettled& what) {
    const ReplyWalker::Outcome& outcome = walker_.outcome();
    what.in_transaction = session_.in_transaction();
    if (shape == protocol::ReplyShape::prepare) {
        note_prepared(outcome);
    } else {
        what.status = session_.after(facts, outcome);
    }
    if (running_.statement != nullptr) what.statement = !note_executed(outcome);
    const bool plain = !what.status && !what.statement && !outcome.error && facts.pins.none() &&
                       !facts.new_generation && !facts.trusted_calls && !lease_->changes_routines && !learning_ &&
                       !session_.has_questions() && session_.pins() == pin_causes_.known() && kills_under_way_ == 0;
    if (!plain) return false;
    note_leftovers(facts, outcome);
    note_end(what);
    return true;
}

void ClientSession::note_end(const Unsettled& what) {
    ++core_.counters.statements;
    if (what.in_transaction && !session_.in_transaction()) ++core_.counters.transactions;
    end_statement();
}

net::Task<bool> ClientSession::settle(const sql::Facts& facts, Unsettled what) {
    const ReplyWalker::Outcome& outcome = walker_.outcome();
    if (what.status) {
        // An error carries no status (Trap 2): is there a transaction now, or none any more?
        std::vector<std::byte> ping;
        protocol::write_command(static_cast<std::uint8_t>(protocol::Command::ping), "", ping);
        const Result<Answer> reply = co_await lease_->exchange(std::move(ping), protocol::ReplyShape::ok);
        if (!reply) {
            lose_lease();
            end_ = ClientEnd::server_lost;
            co_return false;
        }
        session_.on_status(reply->outcome.status);
        if (reply->outcome.state_changed) session_.pin(sql::Pin::unknown_function);
    }
    if (what.statement) co_await close_on_server(*running_.there);
    if (outcome.error && (facts.lifted.any() || may_have_run_a_program(outcome.error_code))) lease_->unsure = true;
    if (facts.trusted_calls && (outcome.error || outcome.state_changed)) lease_->unsure = true;
    core_.routines.changed(*lease_);
    if (facts.pins.intersects({sql::Pin::text_execute, sql::Pin::compound, sql::Pin::executable_comment}))
        core_.routines.suspect();
    note_leftovers(facts, outcome);
    if (what.status) on_server_.row_count = false;
    if (session_.collation_unknown()) {
        const Result<std::string> collation = co_await ask_server("SELECT @@session.collation_connection");
        if (!collation) co_return false;
        if (!collation->empty()) session_.on_collation(*collation);
    }
    if (session_.server_collation_unknown()) {
        const Result<std::string> collation = co_await ask_server("SELECT @@session.collation_server");
        if (!collation) co_return false;
        session_.on_server_collation(*collation);
    }
    if (session_.role_unknown()) {
        const bool alive = co_await read_role();
        if (!alive) co_return false;
    }
    if (std::string locks = session_.locks_question(); !locks.empty()) {
        const Result<std::string> any = co_await ask_server(std::move(locks));
        if (!any) co_return false;
        session_.on_locks(*any != "0");
    }
    if (learning_) learn_set(outcome);
    if (facts.new_generation && !outcome.error) core_.new_generation();
    if (session_.pins() != pin_causes_.known()) note_pins(facts.kind);
    if (!session_.unread_variables().empty() && session_.hold() == session::Hold::user_variables &&
        core_.pool.waiting() > 0) {
        const bool alive = co_await read_user_variables();
        if (!alive) co_return false;
    }
    while (kills_under_way_ > 0) co_await kills_done_;  // a KILL that comes late must not hit the next client (Trap 12)
    note_end(what);
    co_return true;
}

// One value that only the server knows, between two statements of the client; empty: NULL. An error: the lease is lost.
net::Task<Result<std::string>> ClientSession::ask_server(std::string question) {
    // The question sets FOUND_ROWS() to 1: an earlier statement's is saved before.
    if (leftovers_ && leftovers_->found_rows_on_connection()) co_await leftovers_->fetch(*lease_);
    question += " LIMIT 1";  // whatever sql_select_limit says
    const Result<Answer> reply = co_await lease_->query(question);
    if (!reply) {
        lose_lease();
        end_ = ClientEnd::server_lost;
        co_return std::unexpected(reply.error());
    }
    on_server_.row_count = on_server_.found_rows = false;
    const auto rows = reply->rows();
    if (rows.empty() || rows[0].empty()) co_return std::string();
    co_return std::string(rows[0][0].value_or(""));
}

// The role that a statement has set, or not.
net::Task<bool> ClientSession::read_role() {
    const Result<std::string> current = co_await ask_server("SELECT COALESCE(CURRENT_ROLE(), 'NONE')");
    if (!current) co_return false;
    std::optional<std::string> role = session::role_clause(core_.upstream.flavour(), *current);
    if (lease_->login_role.empty()) role.reset();  // it could not be taken away again
    if (role == lease_->login_role) role = "";
    session_.on_role(role);
    co_return true;
}

// Somebody waits for the connection of this session, which can do without it. False: it is lost.
net::Task<bool> ClientSession::make_way() {
    if (!session_.unread_variables().empty()) {
        const bool alive = co_await read_user_variables();
        if (!alive) co_return false;
    }
    const bool puts_off = session_.hold() == session::Hold::next_statement;
    if (puts_off) {
        bool alive = true;
        if (leftovers_ && leftovers_->any()) alive = co_await leftovers_->fetch(*lease_);
        if (alive) {
            const Result<Answer> reply = co_await lease_->query("COMMIT AND NO CHAIN NO RELEASE");
            alive = reply && !reply->outcome.error;
        }
        if (!alive) {
            lose_lease();
            end_ = ClientEnd::server_lost;
            co_return false;
        }
        on_server_ = {};
    }
    while (kills_under_way_ > 0) co_await kills_done_;  // as in settle()
    if (puts_off) {
        lease_->set_state(session_.state());
        session_.put_off();
        core_.give_back(*std::exchange(lease_, nullptr));
    } else {
        end_statement();
    }
    co_return true;
}

// The values of the user variables that its statements have set. The questions spoil what else the last one has left:
// that is fetched before.
net::Task<bool> ClientSession::read_user_variables() {
    bool alive = true;
    if (leftovers_ && leftovers_->any()) alive = co_await leftovers_->fetch(*lease_);
    std::optional<Answer> answer;
    if (alive) {
        Result<Answer> reply = co_await lease_->query(session::user_variables_question(session_.unread_variables()));
        alive = reply.has_value();
        if (alive) answer = std::move(*reply);
    }
    if (!alive) {
        lose_lease();
        end_ = ClientEnd::server_lost;
        co_return false;
    }
    on_server_ = {};
    if (answer->outcome.error || answer->outcome.warnings > 0) lease_->warned = true;
    const auto rows = answer->rows();
    std::vector<session::AnswerColumn> columns;
    if (rows.size() == 1) {
        for (const Answer::Column& each : answer->columns())
            columns.push_back({each.type, each.is_unsigned, each.length, rows[0][columns.size()]});
    }
    auto values = session::user_variables_from(session_.unread_variables(), columns);
    if (!core_.upstream.may_reset()) values.reset();  // nobody could take them away from a connection again
    session_.on_user_variables(values);
    if (session_.pins() != pin_causes_.known()) note_pins();
    co_return true;
}

// What the statement has left on its connection that a later one may ask for.
void ClientSession::note_leftovers(const sql::Facts& facts, const ReplyWalker::Outcome& outcome) {
    const session::Results& results = session_.results();
    on_server_.row_count |= results.row_count_left() != session::Left::as_before;
    on_server_.found_rows |= results.found_rows_left() != session::Left::as_before;
    on_server_.warnings |= results.warnings_left() != session::Left::as_before;
    // An INSERT that fails has set LAST_INSERT_ID() if it came to a row.
    const bool failed_late = outcome.error && may_have_run_a_program(outcome.error_code) && needs_own_insert_id(facts);
    const bool insert_id = outcome.any_insert_id || facts.sets_last_insert_id || failed_late;
    if (insert_id) insert_id_mark_ = lease_->insert_id_of = core_.next_owner();
    const bool warns = results.warnings_left() == session::Left::on_server;
    const bool clears = results.warnings_left() == session::Left::here;
    if (warns) lease_->warned = true;
    if (clears && (changes_rows(facts) || core_.upstream.flavour() == protocol::Flavour::mysql)) lease_->warned = false;
    if (!leftovers_) {
        if (!warns && !insert_id && results.found_rows_left() != session::Left::on_server) return;
        leftovers_ = std::make_shared<Leftovers>(core_.loop);
    }
    leftovers_->note(results, insert_id);
}

}  // namespace tidegate::proxy
