#include "session/session.h"

#include <algorithm>
#include <utility>

#include "base/letters.h"
#include "session/user_variables.h"

namespace tidegate::session {
namespace {

using sql::Kind;
using sql::Pin;

constexpr std::string_view kServerCharset = "character_set_server";
constexpr std::string_view kServerCollation = "collation_server";

// Pins whose end the statement's text alone tells.
constexpr sql::Pins kEndByStatement{Pin::lock_tables, Pin::flush_lock};

// What COM_RESET_CONNECTION leaves behind, or is not known to clear: protocol.md, "What survives a reset", Trap 8.
constexpr sql::Pins kSurvivesReset{Pin::role,     Pin::profiling,        Pin::xa, Pin::instance_lock, Pin::sequence,
                                   Pin::compound, Pin::unknown_statement};

// What a statement does itself: where it did not begin, it has not done it. (Programs that it runs may fail in their
// middle with the same errors. Where the text may be another one for the server than for the scanner, nothing is sure.)
constexpr sql::Pins kOwnDoing{Pin::user_variable, Pin::temporary_table, Pin::named_lock, Pin::text_prepare,
                              Pin::handler,       Pin::lock_tables,     Pin::flush_lock, Pin::variable,
                              Pin::role,          Pin::profiling,       Pin::sequence,   Pin::instance_lock};
// What a text that the server does not understand has not done either.
constexpr sql::Pins kBehindSyntax = [] {
    sql::Pins pins = kOwnDoing;
    pins.add({Pin::unknown_function, Pin::unknown_statement, Pin::set_statement, Pin::xa});
    return pins;
}();

// Errors that a statement gets before it begins: SET, too, which looks at all its values before it sets one.
bool is_refusal(std::uint16_t error) {
    switch (error) {
        case 1044:  // of privileges
        case 1045:
        case 1142:
        case 1143:
        case 1227:
        case 1370:
        case 1046:  // of names
        case 1049:
        case 1050:
        case 1054:
        case 1109:
        case 1115:
        case 1146:
        case 1193:
        case 1273:
        case 1298:
        case 1649:
        case 1228:  // of SET
        case 1229:
        case 1231:
        case 1232:
        case 1238:
            return true;
        default:
            return false;
    }
}

// The statement has done nothing, and so it holds nothing.
bool did_nothing(const sql::Facts& facts, const protocol::ReplyWalker::Outcome& outcome) {
    constexpr std::uint16_t kSyntax = 1064;
    constexpr std::uint16_t kNoSuchPreparedStatement = 1243;
    if (!outcome.error || facts.statements != 1 || facts.kind == Kind::call) return false;
    sql::Pins others = facts.pins;
    if (outcome.error_code == kSyntax && facts.kind != Kind::execute) {
        others.remove(kBehindSyntax);
    } else if (outcome.error_code == kNoSuchPreparedStatement && facts.kind == Kind::execute) {
        others.remove({Pin::text_execute, Pin::user_variable});
    } else if (is_refusal(outcome.error_code)) {
        others.remove(kOwnDoing);
    } else {
        return false;
    }
    return others.none();
}

// SET TRANSACTION and nothing else: it may be sent again elsewhere.
bool is_bare_one_shot(const sql::Facts& facts, std::string_view text) {
    constexpr std::size_t kLongest = 128;
    return facts.kind == Kind::set && facts.statements == 1 && facts.set_count == 0 && facts.pins.none() &&
           text.size() <= kLongest &&
           std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~' && c != '@'; });
}

// Statements that can leave a transaction open although they end in an error.
bool may_open_before_failing(const sql::Facts& facts) {
    return facts.statements > 1 || facts.pins.any() || facts.kind == Kind::begin || facts.kind == Kind::call ||
           facts.kind == Kind::execute || facts.kind == Kind::xa || facts.kind == Kind::unknown;
}

}  // namespace

std::string_view name_of(Hold hold) {
    switch (hold) {
        case Hold::none:
            return "none";
        case Hold::transaction:
            return "transaction";
        case Hold::next_statement:
            return "set_transaction";
        case Hold::pinned:
            return "pinned";
        case Hold::user_variables:
            return "user_variables";
        case Hold::session_mode:
            return "session_mode";
    }
    return "none";
}

void Session::start(StatePtr state, std::string_view default_sql_mode, bool session_mode) {
    state_ = std::move(state);
    default_sql_mode_ = default_sql_mode;
    status_ = protocol::status::autocommit;
    pins_ = {};
    session_mode_ = session_mode;
    one_shot_ = savepoint_ = false;
    statements_.clear();
    changes_.clear();
    schema_changed_ = false;
    collation_unknown_ = server_collation_unknown_ = carried_ = role_unknown_ = false;
    named_.clear();
    given_.reset();
    unread_.clear();
    results_.start();
    mode_ = {};
    mode_.dialect = flavour_ == protocol::Flavour::mariadb ? sql::Dialect::mariadb : sql::Dialect::mysql;
    mode_.multi_statements = state_->multi_statements;
    read_mode();
}

void Session::set_multi_statements(bool on) {
    state_ = states_.with_multi_statements(state_, on);
    mode_.multi_statements = on;
}

void Session::before(const sql::Facts& facts, std::string_view text) {
    carried_ = facts.set_only_carried && !(facts.set_unreported && flavour_ == protocol::Flavour::mariadb);
    for (std::size_t i = 0; carried_ && i < facts.set_count; ++i) {
        const sql::TextSpan span = facts.set_names[i];
        if (span.offset + span.length > text.size()) {
            carried_ = false;
            break;
        }
        carried_ = is_carried(lower(span.in(text)));
    }
    const bool may_rename = pins_.has(Pin::temporary_table) && (facts.kind == Kind::ddl || facts.statements > 1);
    if (may_rename || facts.pins.intersects(sql::kNamedPins) || facts.may_end.intersects(sql::kNamedPins)) {
        named_.before(sql::held_names(text, facts, mode_, state_->schema));
    } else if (named_.concerned()) {
        named_.before(std::nullopt);
    }
    shown_.clear();
    given_.reset();
    if (facts.one_shot_transaction || !one_shot_text_.empty())
        one_shot_text_ = facts.one_shot_transaction && is_bare_one_shot(facts, text) ? text : std::string_view();
    if (facts.pins.has(Pin::user_variable)) {
        given_ = sql::user_variables(text, facts, mode_);
        if (given_->unsure) given_.reset();
    }
}

bool Session::after(const sql::Facts& facts, const protocol::ReplyWalker::Outcome& outcome) {
    const bool was_in_transaction = in_transaction();
    const bool was_plain = !was_in_transaction && (status_ & protocol::status::autocommit) != 0;
    apply_changes();

    const bool nothing = did_nothing(facts, outcome);
    sql::Pins pins = facts.pins;
    if (given_) pins.remove(Pin::user_variable);
    if (!nothing) {
        pins_.add(pins);
        if (given_) note_user_variables();
        if (pins.has(Pin::role)) role_unknown_ = true;
        const bool sets = facts.kind == Kind::set || facts.set_only_carried;
        const bool unreported = facts.set_unreported && flavour_ == protocol::Flavour::mariadb;  // in several
        const bool partly = sets && outcome.error && facts.set_count > 1;
        if (((sets && !carried_ && facts.kind != Kind::use) || unreported || partly) && pins.none())
            pins_.add(Pin::variable);
    }
    // The server says that something changed which no variable's tracker shows: a routine or a trigger did it. (A
    // temporary table and a prepared text are reported when they go, too.)
    const bool gives_back =
        facts.statements == 1 && facts.may_end.intersects({Pin::temporary_table, Pin::text_prepare});
    if (outcome.state_changed && !carried_ && !gives_back && pins.none() && facts.kind != Kind::use &&
        !facts.trusted_calls)
        pins_.add(Pin::unknown_function);
    if (!outcome.error) {
        sql::Pins ended = facts.may_end;
        for (int i = 0; i < sql::kPinCount; ++i) {
            if (!kEndByStatement.has(static_cast<Pin>(i))) ended.remove(static_cast<Pin>(i));
        }
        ended.remove(facts.pins);
        pins_.remove(ended);
    }
    if (!nothing && named_.concerned() && pins_.intersects(sql::kNamedPins))
        pins_.remove(named_.after(facts, outcome.error));
    if (facts.kind == Kind::flush && !state_->variables.empty() && is_user_variable(state_->variables.front().name))
        pins_.add(Pin::user_variable);  // MariaDB's FLUSH USER_VARIABLES
    if (facts.session_mode) session_mode_ = true;
    if (facts.one_shot_transaction && !outcome.error) note_one_shot();

    results_.after(facts, outcome);

    if (outcome.has_status && !outcome.error) {
        on_status(outcome.status);
        if (facts.kind == Kind::savepoint && (status_ & protocol::status::autocommit) == 0) savepoint_ = true;
        if (facts.kind == Kind::commit || facts.kind == Kind::rollback) savepoint_ = false;
        // A statement that is a transaction of its own may use it up, or not (one without tables does not).
        const bool ended = was_in_transaction || facts.kind == Kind::commit || facts.kind == Kind::rollback;
        if (ended && !in_transaction()) one_shot_ = false;
        return false;
    }
    return outcome.error && !(was_plain && (nothing || !may_open_before_failing(facts)));
}

void Session::note_one_shot() {
    constexpr std::size_t kLongest = 256;
    const bool repeatable = !one_shot_text_.empty() && (!one_shot_ || !one_shots_.empty());
    if (!one_shot_) one_shots_.clear();
    one_shot_ = true;
    if (!one_shots_.empty()) one_shots_ += '\n';
    one_shots_ += one_shot_text_;
    if (!repeatable || one_shots_.size() > kLongest) one_shots_.clear();
}

bool Session::lets_go() const {
    const Hold why = hold();
    return why == Hold::user_variables || (why == Hold::next_statement && !one_shots_.empty());
}

void Session::put_off() {
    state_ = states_.with_next_transaction(state_, one_shots_);
    one_shot_ = false;
}

void Session::put_on() {
    one_shots_ = state_->next_transaction;
    one_shot_ = true;
    state_ = states_.with_next_transaction(state_, "");
}

void Session::on_role(const std::optional<std::string>& role) {
    role_unknown_ = false;
    if (role) {
        pins_.remove(Pin::role);
        state_ = states_.with_role(state_, *role);
    } else {
        pins_.add(Pin::role);
    }
}

void Session::note_user_variables() {
    if (pins_.has(Pin::user_variable)) return;
    for (const std::string& name : given_->assigned) {
        if (std::ranges::find(unread_, name) == unread_.end()) unread_.push_back(name);
    }
    const auto carried = static_cast<std::size_t>(
        std::ranges::count_if(state_->variables, [](const Variable& each) { return is_user_variable(each.name); }));
    if (carried + unread_.size() > kMostUserVariables) pins_.add(Pin::user_variable);
}

void Session::on_user_variables(const std::optional<std::vector<Variable>>& values) {
    unread_.clear();
    if (values) {
        state_ = states_.with_variables(state_, *values);
    } else {
        pins_.add(Pin::user_variable);
    }
}

void Session::on_status(std::uint16_t status) {
    status_ = status;
    const bool no_backslash = (status & protocol::status::no_backslash_escapes) != 0;
    mode_.no_backslash_escapes = no_backslash;
}

void Session::apply(const KnownSet& known, const sql::Facts& facts) {
    state_ = known.after;
    read_mode();
    on_status(known.status);
    results_.after(facts, {.status = known.status, .has_status = true});
}

const StatePtr& Session::state_for_prepare() {
    if (prepared_from_ != state_) {
        for_prepare_ = states_.for_prepare(state_);
        prepared_from_ = state_;
    }
    return for_prepare_;
}

Statement* Session::prepared(PreparedTextPtr text, const protocol::ReplyWalker::Outcome& outcome) {
    results_.prepared(outcome);
    if (outcome.error) {
        statements_.failed();
        return nullptr;
    }
    Statement& made = statements_.add(std::move(text), outcome.parameters);
    if (!made.shared()) pin_statements();
    return &made;
}

Statement* Session::statement(std::uint32_t id) {
    return statements_.find(id, flavour_ == protocol::Flavour::mariadb);
}

void Session::close(const Statement& statement) {
    const bool held = statement.holds();
    statements_.close(statement);
    if (held) pin_statements();
}

void Session::set_open(Statement& statement, bool cursor, bool long_data) {
    if (statement.cursor == cursor && statement.long_data == long_data) return;
    statement.cursor = cursor;
    statement.long_data = long_data;
    pin_statements();
}

void Session::pin_statements() {
    pins_.remove({Pin::cursor, Pin::long_data, Pin::prepared});
    pins_.add(statements_.pins());
}

Cleaning Session::cleaning() const {
    if (pins_.intersects(kSurvivesReset)) return Cleaning::close;
    const bool clean =
        pins_.none() && !in_transaction() && !savepoint_ && !one_shot_ && !session_mode_ && unread_.empty();
    return clean ? Cleaning::none : Cleaning::reset;
}

bool Session::see(const protocol::TrackerReader::Item& item) {
    switch (item.type) {
        case protocol::Tracker::system_variable:
            if (!is_carried(item.name)) return false;  // where a server was told to report all
            if (item.name == kServerCharset || item.name == kServerCollation) {
                server_collation_unknown_ = true;
                return false;
            }
            changes_.push_back({std::string(item.name), std::string(item.value)});
            if (!is_reported_by_default(item.name)) return false;
            if (carried_) shown_.push_back(changes_.back());
            return true;
        case protocol::Tracker::schema:
            schema_changed_ = true;
            schema_ = item.value;
            return true;
        default:
            return false;
    }
}

void Session::on_collation(std::string_view collation) {
    collation_unknown_ = false;
    const Variable change{"collation_connection", std::string(collation)};
    state_ = states_.with_variables(state_, {&change, 1});
}

void Session::on_server_collation(std::string_view collation) {
    server_collation_unknown_ = false;
    const Variable change{std::string(kServerCollation), std::string(collation)};
    state_ = states_.with_variables(state_, {&change, 1});
}

void Session::apply_changes() {
    if (!changes_.empty()) {
        const auto reported = [&](std::string_view name) {
            return std::ranges::find(changes_, name, &Variable::name) != changes_.end();
        };
        collation_unknown_ = reported("character_set_connection") && !reported("collation_connection");
        state_ = states_.with_variables(state_, changes_);
        changes_.clear();
        read_mode();
    }
    if (schema_changed_) {
        state_ = states_.with_schema(state_, schema_);
        schema_changed_ = false;
        read_mode();
    }
}

void Session::read_mode() {
    std::string_view sql_mode = default_sql_mode_;
    std::string_view charset;
    for (const Variable& each : state_->variables) {
        if (each.name == "sql_mode") sql_mode = each.value;
        if (each.name == "character_set_client") charset = each.value;
    }
    mode_.ansi_quotes = sql_mode.find("ANSI") != std::string_view::npos;
    mode_.ignore_space = sql_mode.find("IGNORE_SPACE") != std::string_view::npos;
    mode_.no_backslash_escapes = sql_mode.find("NO_BACKSLASH_ESCAPES") != std::string_view::npos;
    // The servers tell a schema's name in utf8, and take it in the client's character set.
    const bool high_name =
        std::ranges::any_of(state_->schema, [](char c) { return static_cast<unsigned char>(c) > 0x7F; });
    if (high_name && !charset.empty() && !charset.starts_with("utf8")) pins_.add(Pin::multibyte);
    mode_.unsafe_multibyte =
        charset == "gbk" || charset == "sjis" || charset == "cp932" || charset == "big5" || charset == "gb18030";
}

}  // namespace tidegate::session
