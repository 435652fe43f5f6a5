#include "twin/session.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace tidegate::twin {
namespace {

// SESSION_STATE_CHANGED is left out: which changes are reported is asked for by the gate, for itself.
constexpr unsigned kSeenFlags = 0xFFFFU & ~0x4000U;

// Binary or text is told, and not with which collation: the servers give that of character_set_results there, which is
// no variable. SET NAMES .. COLLATE and the handshake change it, and the gate restores the character set alone.
constexpr unsigned kBinary = 63;

std::string columns(const MYSQL_FIELD* fields, unsigned count) {
    std::string out;
    for (unsigned at = 0; at < count; ++at) {
        const auto& field = fields[at];
        out += fmt::format(" [{}.{}.{} as {} type {} flags {} length {} {} decimals {}]", field.db, field.org_table,
                           field.org_name, field.name, static_cast<int>(field.type), field.flags, field.length,
                           field.charsetnr == kBinary ? "binary" : "text", field.decimals);
    }
    return out;
}

// The bound values of one execution. Longs stay where they are while the statement runs.
struct Bound {
    explicit Bound(const std::vector<std::string>& texts)
        : numbers(texts.size()), lengths(texts.size()), binds(texts.size()) {
        for (std::size_t at = 0; at < texts.size(); ++at) {
            auto& bind = binds[at];
            const auto& text = texts[at];
            const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), numbers[at]);
            if (text == "NULL") {
                bind.buffer_type = MYSQL_TYPE_NULL;
            } else if (wrong == std::errc() && end == text.data() + text.size()) {
                bind.buffer_type = MYSQL_TYPE_LONGLONG;
                bind.buffer = &numbers[at];
            } else {
                lengths[at] = text.size();
                bind.buffer_type = MYSQL_TYPE_STRING;
                bind.buffer = const_cast<char*>(text.data());  // NOLINT: the library takes it so, and only reads it
                bind.buffer_length = text.size();
                bind.length = &lengths[at];
            }
        }
    }
    std::vector<long long> numbers;
    std::vector<unsigned long> lengths;
    std::vector<MYSQL_BIND> binds;
};

constexpr std::size_t kColumn = 512;

// The rows of a statement that was executed, each value as text.
std::string fetch_all(MYSQL_STMT* statement, unsigned count, unsigned most) {
    std::vector<std::array<char, kColumn>> room(count);
    std::vector<unsigned long> lengths(count);
    std::vector<my_bool> nulls(count);
    std::vector<MYSQL_BIND> binds(count);
    for (unsigned at = 0; at < count; ++at) {
        binds[at].buffer_type = MYSQL_TYPE_STRING;
        binds[at].buffer = room[at].data();
        binds[at].buffer_length = kColumn;
        binds[at].length = &lengths[at];
        binds[at].is_null = &nulls[at];
    }
    if (mysql_stmt_bind_result(statement, binds.data()) != 0) return " cannot be bound";
    std::string out;
    for (unsigned row = 0; row < most; ++row) {
        const int said = mysql_stmt_fetch(statement);
        if (said == MYSQL_NO_DATA) return out + " end";
        if (said == 1)
            return out + fmt::format(" error {} {}", mysql_stmt_errno(statement), mysql_stmt_error(statement));
        out += " (";
        for (unsigned at = 0; at < count; ++at)
            out += nulls[at] != 0 ? "NULL," : std::string(room[at].data(), std::min(lengths[at], kColumn)) + ",";
        out += ")";
    }
    return out + " ..";
}

}  // namespace

std::string Act::str() const {
    static constexpr std::array kNames{"query", "prepare", "execute",     "fetch", "close",
                                       "ping",  "reset",   "change_user", "use"};
    return fmt::format("{} {}{} {}", kNames.at(static_cast<std::size_t>(kind)),
                       kind >= Kind::prepare && kind <= Kind::close ? fmt::format("#{}", slot) : "", text,
                       values.empty() ? "" : fmt::format("<- {}", fmt::join(values, ", ")));
}

Session::Session(Place place) : place_(std::move(place)), mysql_(mysql_init(nullptr)) {
    unsigned seconds = 120;
    mysql_options(mysql_, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    my_bool off = 0;
    mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
    if (mysql_real_connect(mysql_, place_.host.c_str(), place_.user.c_str(), place_.password.c_str(),
                           place_.schema.c_str(), place_.port, nullptr,
                           CLIENT_MULTI_STATEMENTS | CLIENT_MULTI_RESULTS) == nullptr) {
        const auto why =
            fmt::format("cannot connect to port {}: {} {}", place_.port, mysql_errno(mysql_), mysql_error(mysql_));
        mysql_close(mysql_);
        throw std::runtime_error(why);
    }
}

Session::~Session() {
    forget_statements();
    mysql_close(mysql_);
}

void Session::forget_statements() {
    for (auto& [slot, statement] : statements_) mysql_stmt_close(statement);
    statements_.clear();
}

std::string Session::flags() const {
    unsigned status = 0;
    mariadb_get_infov(mysql_, MARIADB_CONNECTION_SERVER_STATUS, &status);
    return fmt::format(" flags {:#x}", status & kSeenFlags);
}

std::string Session::error() const {
    return fmt::format("ERR {} {} {}", mysql_errno(mysql_), mysql_sqlstate(mysql_), mysql_error(mysql_));
}

std::string Session::outcome(int failed) {
    return failed != 0 ? error() : "OK" + flags();
}

std::string Session::rows(MYSQL_RES* result) {
    const unsigned count = mysql_num_fields(result);
    const MYSQL_FIELD* fields = mysql_fetch_fields(result);
    auto out = "ROWS" + columns(fields, count);
    const auto own = std::to_string(mysql_thread_id(mysql_));
    while (MYSQL_ROW row = mysql_fetch_row(result)) {
        const auto* lengths = mysql_fetch_lengths(result);
        out += " (";
        for (unsigned at = 0; at < count; ++at) {
            const auto value = row[at] == nullptr ? std::string("NULL") : std::string(row[at], lengths[at]);
            // Only there: the number may be that of a warning as well.
            const bool is_own = value == own && std::string_view(fields[at].name) == "CONNECTION_ID()";
            out += (is_own ? "its own id" : value) + ",";
        }
        out += ")";
    }
    return out;
}

std::string Session::results() {
    std::string out;
    while (true) {
        if (MYSQL_RES* result = mysql_store_result(mysql_)) {
            out += rows(result);
            mysql_free_result(result);
        } else if (mysql_errno(mysql_) != 0) {
            return out + error();
        } else {
            out += fmt::format("OK affected {} id {}", mysql_affected_rows(mysql_), mysql_insert_id(mysql_));
            if (const char* info = mysql_info(mysql_)) out += fmt::format(" \"{}\"", info);
        }
        out += fmt::format(" warnings {}{}", mysql_warning_count(mysql_), flags());
        const int more = mysql_next_result(mysql_);
        if (more < 0) return out;
        out += " | ";
        if (more > 0) return out + error();
    }
}

std::string Session::prepare(const Act& act) {
    if (auto old = statements_.extract(act.slot)) mysql_stmt_close(old.mapped());
    MYSQL_STMT* statement = mysql_stmt_init(mysql_);
    if (mysql_stmt_prepare(statement, act.text.data(), act.text.size()) != 0) {
        auto said = fmt::format("ERR {} {} {}", mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
                                mysql_stmt_error(statement));
        mysql_stmt_close(statement);
        return said;
    }
    statements_[act.slot] = statement;
    auto said = fmt::format("PREPARED {} parameters {} columns warnings {}", mysql_stmt_param_count(statement),
                            mysql_stmt_field_count(statement), mysql_warning_count(mysql_));
    if (MYSQL_RES* result = mysql_stmt_result_metadata(statement)) {
        said += columns(mysql_fetch_fields(result), mysql_num_fields(result));
        mysql_free_result(result);
    }
    return said;
}

std::string Session::execute(const Act& act, bool cursor) {
    const auto found = statements_.find(act.slot);
    if (found == statements_.end()) return "nothing prepared";
    MYSQL_STMT* statement = found->second;
    Bound bound(act.values);
    if (bound.binds.size() != mysql_stmt_param_count(statement)) return "another number of values";
    unsigned long type = cursor ? CURSOR_TYPE_READ_ONLY : CURSOR_TYPE_NO_CURSOR;
    mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &type);
    if (!bound.binds.empty()) mysql_stmt_bind_param(statement, bound.binds.data());
    if (mysql_stmt_execute(statement) != 0) {
        return fmt::format("ERR {} {} {}", mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
                           mysql_stmt_error(statement));
    }
    std::string said;
    const unsigned count = mysql_stmt_field_count(statement);
    if (count == 0) {
        said =
            fmt::format("OK affected {} id {}", mysql_stmt_affected_rows(statement), mysql_stmt_insert_id(statement));
    } else {
        MYSQL_RES* result = mysql_stmt_result_metadata(statement);
        said = "ROWS" + columns(mysql_fetch_fields(result), count);
        mysql_free_result(result);
        said += fetch_all(statement, count, cursor ? 2 : 1000);
    }
    said += fmt::format(" warnings {}{}", mysql_stmt_warning_count(statement), flags());
    if (!cursor) mysql_stmt_free_result(statement);
    while (!cursor && mysql_stmt_more_results(statement) != 0 && mysql_stmt_next_result(statement) == 0) {
        said += " | more";
        mysql_stmt_free_result(statement);
    }
    return said;
}

std::string Session::act(const Act& act) {
    using Kind = Act::Kind;
    switch (act.kind) {
        case Kind::query:
            if (mysql_real_query(mysql_, act.text.data(), act.text.size()) != 0) return error();
            return results();
        case Kind::prepare:
            return prepare(act);
        case Kind::execute:
            return execute(act, false);
        case Kind::fetch:
            return execute(act, true);
        case Kind::close:
            if (auto old = statements_.extract(act.slot))
                return mysql_stmt_close(old.mapped()) == 0 ? "closed" : "not closed";
            return "nothing to close";
        case Kind::ping:
            return outcome(mysql_ping(mysql_));
        case Kind::reset: {
            forget_statements();
            return outcome(mysql_reset_connection(mysql_));
        }
        case Kind::change_user:
            forget_statements();
            return outcome(
                mysql_change_user(mysql_, place_.user.c_str(), place_.password.c_str(), place_.schema.c_str()));
        case Kind::use:
            return outcome(mysql_select_db(mysql_, act.text.c_str()));
    }
    return "";
}

}  // namespace tidegate::twin
