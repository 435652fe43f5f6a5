// ClientSession: getting a server connection, bringing it to this session's state, and giving it back.
#include <fmt/format.h>

#include <ranges>
#include <utility>

#include "proxy/client_session.h"
#include "proxy/core.h"
#include "session/user_variables.h"

namespace tidegate::proxy {

using pool::CloseReason;

namespace {

// Leaves no warnings and no rows found. (With a table in it: without, MariaDB keeps the warnings.)
constexpr std::string_view kClearResults = "SELECT 0 FROM information_schema.ENGINES WHERE 0";
constexpr std::string_view kClearResultsToOne = "SELECT 0 FROM information_schema.ENGINES LIMIT 1";  // one row found

// Results of an earlier statement that no connection but its own can tell.
bool asks_for_results(const sql::Facts& facts) {
    return facts.asks.intersects({sql::Ask::found_rows, sql::Ask::row_count, sql::Ask::warnings, sql::Ask::last_value});
}

}  // namespace

net::Task<Result<void>> ClientSession::take_lease() {
    session_state = session_.state().get();
    pool::Answer answer = core_.pool.acquire(*this, core_.loop.now());
    while (true) {
        if (answer.what == pool::Acquired::refused) co_return std::unexpected(std::move(answer.error));
        if (answer.what == pool::Acquired::waiting) {
            core_.ask_to_give_way();
            in_ = in_.shrunk();
            co_await net::EventOrHangup(wake_, stream_->socket());
            if (!wake_.is_set()) {
                core_.pool.cancel(*this, core_.loop.now());
                co_return fail(2013, "08S01", "the client left the line");
            }
            wake_.clear();
            if (was_refused_) {
                was_refused_ = false;
                co_return std::unexpected(std::move(refusal_));
            }
        } else {
            lease_ = static_cast<ServerConnection*>(answer.connection);
        }
        core_.lent(*lease_);
        if (!lease_->stream().socket().hung_up()) co_return Result<void>{};
        // The server has closed it a moment ago: another one, at the same place in the line.
        core_.forget(*std::exchange(lease_, nullptr), CloseReason::server_closed);
        answer = core_.pool.acquire_again(*this, core_.loop.now());
    }
}

void ClientSession::granted(ServerConnection& connection) {
    lease_ = &connection;
    wake_.set();
}

void ClientSession::refused(const Error& error) {
    refusal_ = error;
    was_refused_ = true;
    wake_.set();
}

// Statements after which LAST_INSERT_ID() may be asked for, or that ask: it must be this session's to begin with, since
// an INSERT that generates no id leaves it as it was (Trap 4).
bool ClientSession::needs_own_insert_id(const sql::Facts& facts) {
    switch (facts.kind) {
        case sql::Kind::insert:
        case sql::Kind::replace:
        case sql::Kind::load_data:
        case sql::Kind::call:
        case sql::Kind::execute:
        case sql::Kind::unknown:
        case sql::Kind::ddl:  // CREATE TABLE .. SELECT may generate ids
            return true;
        case sql::Kind::show:  // SHOW VARIABLES shows it
            return !facts.asks.has(sql::Ask::warnings);
        case sql::Kind::set:
            return facts.pins.has(sql::Pin::variable);  // it may set it
        default:
            return facts.statements > 1 || facts.sets_last_insert_id || facts.asks.has(sql::Ask::last_insert_id);
    }
}

// Nothing has to be done before the statement is sent: the usual case.
bool ClientSession::lease_fits(const sql::Facts& facts) const {
    if (lease_->state() != session_.state()) return false;
    if (lease_->insert_id_of != insert_id_mark_ && needs_own_insert_id(facts)) return false;
    if (results_are_on(*lease_)) return !asks_in_vain(facts);
    if (lease_->used_by != owner_ && (lease_->unsure || core_.hidden())) return false;
    return !lease_->leftovers && !facts.asks.any() && !(leftovers_ && leftovers_->any()) &&
           !(lease_->warned && keeps_warnings_of_others(facts));
}

// A question within a larger statement, whose answer no connection has any more. (That of ROW_COUNT() may be of the
// gate's own doing there, after an error.)
bool ClientSession::asks_in_vain(const sql::Facts& facts) const {
    if (!asks_for_results(facts)) return false;
    // Restoring LAST_INSERT_ID() would spoil the others.
    const bool also_id = lease_->insert_id_of != insert_id_mark_ && needs_own_insert_id(facts);
    if (!results_are_on(*lease_) || also_id) return true;
    return (facts.asks.has(sql::Ask::found_rows) && !on_server_.found_rows) ||
           (facts.asks.has(sql::Ask::warnings) && !on_server_.warnings);
}

// Whether the warnings that are on a connection would outlast this statement: a client would see another's.
bool ClientSession::keeps_warnings_of_others(const sql::Facts& facts) const {
    return core_.upstream.flavour() == protocol::Flavour::mariadb || facts.statements == 0;
}

net::Task<Result<void>> ClientSession::fit_lease(const sql::Facts& facts) {
    const bool changed_hands = !results_are_on(*lease_);
    if (changed_hands) {
        const Result<void> taken_over = co_await take_over(facts);
        if (!taken_over) co_return taken_over;
    }
    if (lease_->state() != session_.state()) {
        const Result<void> restored = co_await restore_state(session_.state());
        if (!restored) co_return restored;
    }
    if (!ran_statement_ && asks_in_vain(facts)) {
        // A new session's answers: no warnings, no rows changed, as many found as in Results::start().
        const bool mariadb = core_.upstream.flavour() == protocol::Flavour::mariadb;
        for (const std::string_view text :
             {mariadb ? kClearResultsToOne : kClearResults, std::string_view("SET last_insert_id=0")}) {
            const Result<Answer> reply = co_await lease_->query(text);
            if (!reply) co_return std::unexpected(reply.error());
        }
        lease_->insert_id_of = insert_id_mark_;
        lease_->used_by = owner_;
        last_ = lease_;
        on_server_ = {.row_count = true, .found_rows = true, .warnings = true};
    }
    if (ran_statement_ && asks_in_vain(facts)) {
        session_.pin(sql::Pin::asked);  // from now on the connection stays: the next time the answer is there
        note_pins(facts.kind);
        co_return fail(
            1105, "HY000",
            "Tidegate has given this session's connection to another client since the statement that this one asks "
            "about, and cannot answer it in this form; from now on this session keeps its connection. Ask in a bare "
            "statement (SELECT FOUND_ROWS(), SELECT ROW_COUNT(), SHOW WARNINGS), or use session mode for this account");
    }
    if (lease_->insert_id_of != insert_id_mark_ && needs_own_insert_id(facts)) {
        if (leftovers_) co_await leftovers_->absorb_earlier();
        const std::uint64_t id = leftovers_ ? leftovers_->last_insert_id() : 0;
        const Result<Answer> reply = co_await lease_->query(fmt::format("SET last_insert_id={}", id));
        if (!reply) co_return std::unexpected(reply.error());
        lease_->insert_id_of = insert_id_mark_;
    }
    co_return Result<void>{};
}

// The connection was another session's, or other sessions have been on it since this one was: what theirs left on it is
// fetched for them, and nothing of it may show here. Theirs first: they may be waiting for it with a connection in
// hand.
net::Task<Result<void>> ClientSession::take_over(const sql::Facts& facts) {
    const bool clean = lease_->used_by == owner_;  // nobody else has been on it since a statement of this session
    const bool by_others = !clean && lease_->used_by != 0;
    if (!clean) lease_->used_by = 0;
    if (const std::shared_ptr<Leftovers> theirs = std::exchange(lease_->leftovers, nullptr)) {
        bool alive = true;
        if (theirs.use_count() > 1) {
            alive = co_await theirs->fetch(*lease_);
        } else {
            theirs->lost();  // their session is over
        }
        if (!alive) co_return fail(kServerLost, "08S01", "Lost connection to the server before the statement was sent");
    }
    if (leftovers_ && leftovers_->any()) {
        // They are on the connection before, and whoever has that now fetches them.
        co_await leftovers_->absorb_earlier();
        leftovers_ = std::make_shared<Leftovers>(leftovers_);
    }
    if ((lease_->unsure && !clean) || (by_others && core_.hidden())) {
        const Result<void> reset = co_await reset_lease();
        if (!reset) co_return reset;
    }
    if (lease_->warned && keeps_warnings_of_others(facts)) {
        const Result<Answer> cleared = co_await lease_->query(kClearResults);
        if (!cleared) co_return std::unexpected(cleared.error());
        lease_->warned = false;
    }
    co_return Result<void>{};
}

// As good as new, or an error of a lost connection: then another one will do.
net::Task<Result<void>> ClientSession::reset_lease() {
    if (core_.upstream.may_reset()) {
        const Result<void> reset = co_await core_.upstream.reset(*lease_);
        if (reset) co_return reset;
    }
    co_return fail(kServerLost, "08S01", "a connection could not be reset");
}

// The connection's schema and variables become those of `want`. Acknowledged before the statement is sent: a restore
// that failed would not stop a statement behind it (Trap 1).
net::Task<Result<void>> ClientSession::restore_state(session::StatePtr want) {
    if (session::has_other_user_variables(*lease_->state(), *want)) {
        const Result<void> reset = co_await reset_lease();
        if (!reset) co_return reset;
    }
    if (want->multi_statements != lease_->state()->multi_statements) {
        std::vector<std::byte> packet;
        const std::string_view option(want->multi_statements ? "\0\0" : "\1\0", 2);
        protocol::write_command(static_cast<std::uint8_t>(protocol::Command::set_option), option, packet);
        const Result<Answer> reply = co_await lease_->exchange(std::move(packet), protocol::ReplyShape::ok);
        if (!reply) co_return std::unexpected(reply.error());
        if (reply->outcome.error) co_return std::unexpected(reply->error);
        lease_->set_state(core_.states.with_multi_statements(lease_->state(), want->multi_statements));
    }
    if (want->schema.empty() && !lease_->state()->schema.empty()) {
        // Nothing but a new login takes a connection's schema away.
        const Result<void> changed = co_await core_.upstream.change_user(*lease_, user_, credential_, charset_);
        if (!changed) co_return changed;
    }
    if (want->role != lease_->state()->role) {
        const Result<void> taken = co_await take_role(*want);
        if (!taken) co_return taken;
    }
    const auto text = session::restoring_statement(*lease_->state(), *want);
    if (!text)
        co_return fail(1105, "HY000",
                       "Tidegate cannot restore a system variable of this session: its value has quotes in it");
    if (!text->empty()) {
        const Result<Answer> reply = co_await lease_->query(*text);
        if (!reply) co_return std::unexpected(reply.error());
        if (reply->outcome.error) {
            Error error = reply->error;
            error.message = fmt::format("Tidegate could not restore this session's variables on another connection: {}",
                                        error.message);
            co_return std::unexpected(std::move(error));
        }
        const session::State& before = *lease_->state();
        lease_->set_state(
            core_.states.with_next_transaction(core_.states.with_schema(want, before.schema), before.next_transaction));
    }
    // Its name is written in the character set that the session has now.
    if (want->schema != lease_->state()->schema) {
        std::vector<std::byte> packet;
        protocol::write_command(static_cast<std::uint8_t>(protocol::Command::init_db), want->schema, packet);
        const Result<Answer> reply = co_await lease_->exchange(std::move(packet), protocol::ReplyShape::ok);
        if (!reply) co_return std::unexpected(reply.error());
        if (reply->outcome.error) co_return std::unexpected(reply->error);
        lease_->set_state(core_.states.with_schema(lease_->state(), want->schema));
    }
    if (want->next_transaction != lease_->state()->next_transaction) {
        // Acknowledged one by one: what a role or a server does not let pass must not be missed.
        for (const auto line : std::views::split(want->next_transaction, '\n')) {
            const Result<Answer> reply = co_await lease_->query(std::string_view(line));
            if (!reply) co_return std::unexpected(reply.error());
            if (reply->outcome.error) co_return std::unexpected(reply->error);
        }
    }
    lease_->set_state(want);
    if (want == session_.state() && !want->next_transaction.empty()) {
        session_.put_on();
        lease_->set_state(session_.state());
    }
    co_return Result<void>{};
}

// One that the server does not give any more is gone: with what its login gives, the session can go on.
net::Task<Result<void>> ClientSession::take_role(const session::State& want) {
    const std::string& role = want.role.empty() ? lease_->login_role : want.role;
    const Result<Answer> reply = co_await lease_->query("SET ROLE " + role);
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->outcome.error) {
        Error error = reply->error;
        error.message = fmt::format(
            "Tidegate could not give this session its role {} on another connection, and it has the role of its login "
            "from now on: {}",
            role, error.message);
        session_.on_role("");
        co_return std::unexpected(std::move(error));
    }
    lease_->set_state(core_.states.with_role(lease_->state(), want.role));
    co_return Result<void>{};
}

void ClientSession::end_statement() {
    if (lease_ == nullptr) return;
    lease_->set_state(session_.state());
    running_.there = nullptr;
    if (session_.hold() != session::Hold::none) {
        if (session_.lets_go() && !ListNode<GivesWay>::linked()) core_.may_give_way(*this);
        return;
    }
    const bool left = leftovers_ && leftovers_->any() && results_are_on(*lease_);
    lease_->leftovers = left ? leftovers_ : nullptr;
    core_.give_back(*std::exchange(lease_, nullptr));
}

net::Task<void> ClientSession::let_go() {
    if (lease_ == nullptr) co_return;
    if (session_.hold() != session::Hold::none) {
        end_statement();
        co_return;
    }
    while (kills_under_way_ > 0) co_await kills_done_;
    if (lease_->state() == session_.state()) {
        end_statement();
    } else {
        return_unfit_lease();
    }
}

void ClientSession::return_unfit_lease() {
    if (session_.hold() == session::Hold::none) core_.reset_and_give_back(*std::exchange(lease_, nullptr));
}

void ClientSession::give_up_lease() {
    if (lease_ == nullptr) return;
    ServerConnection& connection = *std::exchange(lease_, nullptr);
    connection.drop_leftovers();
    connection.used_by = connection.insert_id_of = 0;
    switch (session_.cleaning()) {
        case session::Cleaning::none:
            connection.set_state(session_.state());
            core_.give_back(connection);
            break;
        case session::Cleaning::reset:
            core_.reset_and_give_back(connection);
            break;
        case session::Cleaning::close:
            core_.close(connection, CloseReason::unclean);
            break;
    }
}

void ClientSession::abandon_lease() {
    if (lease_ != nullptr) core_.kill_and_close(*std::exchange(lease_, nullptr));
}

void ClientSession::lose_lease() {
    if (lease_ != nullptr) core_.forget(*std::exchange(lease_, nullptr), CloseReason::server_lost);
}

}  // namespace tidegate::proxy
