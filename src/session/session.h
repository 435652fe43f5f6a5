// One client's session: what it looks like (State), and what ties it to the connection that it leases. After every
// statement it says whether the lease may end. Pure; one thread.
//
// The rule: what the server's trackers report and the gate can restore elsewhere is carried over; everything else holds
// the connection, under a name, until it ends or until the session is reset. Unsure means held.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/command.h"
#include "protocol/handshake.h"
#include "protocol/reply_walker.h"
#include "session/known_sets.h"
#include "session/named_pins.h"
#include "session/prepared.h"
#include "session/results.h"
#include "session/state.h"
#include "sql/facts.h"
#include "sql/mode.h"
#include "sql/user_variables.h"

namespace tidegate::session {

// Why a session keeps its connection between two statements.
enum class Hold : std::uint8_t {
    none,
    transaction,     // in one, or autocommit is off and a savepoint was set
    next_statement,  // SET TRANSACTION for the next transaction only
    pinned,          // pins() says by what
    user_variables,  // their values have to be asked for first: only as long as nobody waits
    session_mode,    // the account's mode, or a comment in a statement
};
[[nodiscard]] std::string_view name_of(Hold hold);

// What it takes to make a connection clean for others once its session is gone.
enum class Cleaning : std::uint8_t { none, reset, close };

class Session : public protocol::ReplyWalker::TrackerSink {
public:
    Session(States& states, protocol::Flavour flavour) : states_(states), flavour_(flavour), results_(flavour) {}

    // At login, COM_CHANGE_USER and COM_RESET_CONNECTION: a new session, of which nothing is left.
    // `default_sql_mode` is the server's own; `session_mode` keeps the connection for the whole session.
    void start(StatePtr state, std::string_view default_sql_mode, bool session_mode);

    [[nodiscard]] const StatePtr& state() const { return state_; }
    [[nodiscard]] const sql::Mode& mode() const { return mode_; }
    [[nodiscard]] std::uint16_t status() const { return status_; }
    [[nodiscard]] bool in_transaction() const { return (status_ & protocol::status::in_transaction) != 0; }
    void set_multi_statements(bool on);  // COM_SET_OPTION

    // A statement is about to be sent. `text` is the scanned text, as far as it is at hand.
    void before(const sql::Facts& facts, std::string_view text);
    // Its reply has been relayed. True: the status is not known (an error tells none, Trap 2): ask, then call
    // on_status().
    [[nodiscard]] bool after(const sql::Facts& facts, const protocol::ReplyWalker::Outcome& outcome);
    void on_status(std::uint16_t status);
    // What the reply to a SET has told of variables that an ordinary server shows to its clients.
    [[nodiscard]] const std::vector<Variable>& shown() const { return shown_; }
    // Such a statement was answered without a server.
    void apply(const KnownSet& known, const sql::Facts& facts);
    // The character set of the connection has changed, and the trackers have not told the collation that came with it:
    // ask, then call on_collation(). (MariaDB reports SET NAMES x COLLATE y without y.)
    [[nodiscard]] bool collation_unknown() const { return collation_unknown_; }
    void on_collation(std::string_view collation);
    // The same of the server's, which it is told by two variables that set each other, and by trackers of one of them.
    [[nodiscard]] bool server_collation_unknown() const { return server_collation_unknown_; }
    void on_server_collation(std::string_view collation);
    // The statement may have set a role, which no tracker reports: ask SELECT COALESCE(CURRENT_ROLE(), 'NONE'), then
    // call on_role() with what has to stand behind SET ROLE (empty: the login's); nothing: it is not known, and pins.
    [[nodiscard]] bool role_unknown() const { return role_unknown_; }
    void on_role(const std::optional<std::string>& role);
    // A lock of GET_LOCK() was given back, perhaps not the last one: ask locks_question(), if there is one, then call
    // on_locks() with its value.
    [[nodiscard]] std::string locks_question() const { return named_.locks_question(); }
    void on_locks(bool any) { pins_.remove(named_.on_locks(any)); }
    // Hold::user_variables: ask user_variables_question() of these, then tell what came of it; nothing: they cannot be
    // carried, and pin.
    [[nodiscard]] const std::vector<std::string>& unread_variables() const { return unread_; }
    void on_user_variables(const std::optional<std::vector<Variable>>& values);

    // Prepared statements of the binary protocol. prepared(): the reply to COM_STMT_PREPARE has been relayed; nullptr:
    // it was an error.
    [[nodiscard]] const Statements& statements() const { return statements_; }
    [[nodiscard]] const StatePtr&
    state_for_prepare();  // States::for_prepare() of state(); no allocation if it is as before
    Statement* prepared(PreparedTextPtr text, const protocol::ReplyWalker::Outcome& outcome);
    // nullptr: there is none with this number. Good until the next one is prepared or one is closed.
    [[nodiscard]] Statement* statement(std::uint32_t id);
    void close(const Statement& statement);
    // A cursor was opened, long data was sent, or it is over: what this changes about the pins.
    void set_open(Statement& statement, bool cursor, bool long_data);

    [[nodiscard]] Hold hold() const {
        if (session_mode_) return Hold::session_mode;
        if (pins_.any()) return Hold::pinned;
        if (in_transaction() || savepoint_) return Hold::transaction;
        if (one_shot_) return Hold::next_statement;
        return unread_.empty() ? Hold::none : Hold::user_variables;
    }
    // A session at rest that holds its connection only for convenience, and gives it away when somebody waits: with
    // Hold::user_variables it asks for their values first, with Hold::next_statement it puts its SET TRANSACTION off:
    // the server is told to forget it (COMMIT), put_off() makes it a part of the state, and whoever has brought a
    // connection to that state calls put_on().
    [[nodiscard]] bool lets_go() const;
    void put_off();
    void put_on();
    // One of these: collation_unknown(), server_collation_unknown(), role_unknown(), locks_question(),
    // unread_variables().
    [[nodiscard]] bool has_questions() const {
        return collation_unknown_ || server_collation_unknown_ || role_unknown_ || named_.asks_for_locks() ||
               !unread_.empty();
    }
    [[nodiscard]] sql::Pins pins() const { return pins_; }
    void pin(sql::Pin why) { pins_.add(why); }
    // In the middle of what belongs together: a transaction, locked tables. Other holds only wait for the next command.
    [[nodiscard]] bool in_work() const {
        return in_transaction() || savepoint_ || one_shot_ ||
               pins_.intersects({sql::Pin::lock_tables, sql::Pin::flush_lock, sql::Pin::instance_lock});
    }
    [[nodiscard]] Cleaning cleaning() const;

    // What the last statement has left to ask for. (Questions that the gate answers itself have to be told to it.)
    [[nodiscard]] const Results& results() const { return results_; }
    [[nodiscard]] Results& results() { return results_; }

    // Trackers of a reply, as the walker meets them; says whether an ordinary server would have shown it to the client.
    bool see(const protocol::TrackerReader::Item& item) override;

private:
    void apply_changes();
    void note_user_variables();
    void note_one_shot();
    void pin_statements();
    void read_mode();

    States& states_;
    protocol::Flavour flavour_;
    StatePtr state_;
    StatePtr prepared_from_, for_prepare_;  // the state that for_prepare_ is of
    std::string default_sql_mode_;
    sql::Mode mode_;
    std::uint16_t status_ = protocol::status::autocommit;
    sql::Pins pins_;
    bool session_mode_ = false;
    bool one_shot_ = false;
    std::string one_shots_;      // the statements that made it so, a line each; empty: they cannot be sent again
    std::string one_shot_text_;  // the one under way
    bool role_unknown_ = false;
    bool savepoint_ = false;
    bool collation_unknown_ = false;
    bool server_collation_unknown_ = false;
    bool carried_ = false;  // the statement under way sets only what is carried
    NamedPins named_;
    std::optional<sql::UserVariables> given_;  // those that the statement under way may give a value to, if it is sure
    std::vector<std::string> unread_;          // those that have had one since their values were asked for
    Statements statements_;

    std::vector<Variable> changes_;  // of the reply under way
    std::vector<Variable> shown_;
    bool schema_changed_ = false;
    std::string schema_;

    Results results_;
};

}  // namespace tidegate::session
