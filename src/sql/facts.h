// What the scanner finds out about a statement: what it is, what it leaves behind in its session, what it reads of what
// an earlier statement left there. Plain values without pointers: a prepared statement keeps its Facts beside it.
// Whatever the scanner is not sure of, it answers with the unsafe answer: a pin too many costs speed, one too few a
// leak.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace tidegate::sql {

enum class Kind : std::uint8_t {
    empty,  // nothing but white space and comments
    select,
    insert,
    update,
    delete_,
    replace,
    set,
    use,
    begin,  // BEGIN, START TRANSACTION
    commit,
    rollback,
    savepoint,  // SAVEPOINT, RELEASE SAVEPOINT, ROLLBACK TO
    call,
    show,
    ddl,
    prepare,
    execute,  // EXECUTE, EXECUTE IMMEDIATE
    deallocate,
    lock_tables,
    unlock_tables,
    flush,
    handler,
    xa,
    do_,
    kill,
    load_data,
    explain,  // EXPLAIN, DESCRIBE, MariaDB's ANALYZE of a statement
    grant,    // accounts and privileges: GRANT, REVOKE, CREATE USER, SET PASSWORD, ..
    other,    // known, and of no interest to the session
    unknown,  // not known: it pins
};

// Why a session must keep its connection once the statement has run.
enum class Pin : std::uint8_t {
    user_variable,       // @x; which of them it may give a value to, user_variables() tells
    temporary_table,     // CREATE TEMPORARY TABLE
    named_lock,          // GET_LOCK()
    text_prepare,        // PREPARE .. FROM
    text_execute,        // EXECUTE, EXECUTE IMMEDIATE: runs a text that was not scanned
    handler,             // HANDLER .. OPEN
    lock_tables,         // LOCK TABLES
    flush_lock,          // FLUSH TABLES .. WITH READ LOCK, .. FOR EXPORT
    instance_lock,       // LOCK INSTANCE FOR BACKUP, BACKUP STAGE, BACKUP LOCK
    xa,                  // XA START, END, PREPARE
    call,                // CALL
    unknown_function,    // a call of something that is not one of the server's own functions
    variable,            // SET of a system variable that cannot be carried to another connection
    role,                // SET ROLE: to one that cannot be carried
    profiling,           // SET profiling
    set_statement,       // MariaDB's SET STATEMENT .. FOR
    sequence,            // NEXTVAL(), LASTVAL(): the last value of a sequence belongs to the connection
    compound,            // BEGIN NOT ATOMIC and the like, or a stored program within several statements
    executable_comment,  // /*! .. */ in a place where leaving it out makes another statement
    multibyte,           // bytes beyond ASCII in a character set whose characters may contain quotes and backslashes;
                         // a schema of such a name in a session that is not in utf8
    asked,               // the comment tidegate: pin, or tidegate: session
    unknown_statement,   // a first word that is not known
    // Of prepared statements of the binary protocol; no text pins by these.
    cursor,     // one is open
    long_data,  // COM_STMT_SEND_LONG_DATA, until the statement is executed
    prepared,   // one that cannot be prepared elsewhere
};
inline constexpr int kPinCount = static_cast<int>(Pin::prepared) + 1;

// What the statement reads that belongs to an earlier statement or to the connection itself.
enum class Ask : std::uint8_t {
    last_insert_id,  // also set where a routine or an unscanned text may ask: CALL, unknown functions, EXECUTE
    found_rows,
    row_count,
    warnings,       // SHOW WARNINGS, SHOW ERRORS, @@warning_count, @@error_count, GET DIAGNOSTICS
    connection_id,  // CONNECTION_ID(), @@pseudo_thread_id, IS_USED_LOCK()
    last_value,     // LASTVAL(), PREVIOUS VALUE FOR
};

// A set of the values of one small enumeration.
template <class E>
class BitSet {
public:
    constexpr BitSet() = default;
    constexpr BitSet(E e) : bits_(bit(e)) {}  // NOLINT(google-explicit-constructor): one value is a set, too
    constexpr BitSet(std::initializer_list<E> all) {
        for (E e : all) {
            bits_ |= bit(e);
        }
    }
    [[nodiscard]] constexpr bool has(E e) const { return (bits_ & bit(e)) != 0; }
    [[nodiscard]] constexpr bool any() const { return bits_ != 0; }
    [[nodiscard]] constexpr bool none() const { return bits_ == 0; }
    [[nodiscard]] constexpr bool intersects(BitSet other) const { return (bits_ & other.bits_) != 0; }
    [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
    constexpr void add(BitSet other) { bits_ |= other.bits_; }
    constexpr void remove(BitSet other) { bits_ &= ~other.bits_; }
    friend constexpr bool operator==(BitSet, BitSet) = default;

private:
    static constexpr std::uint32_t bit(E e) { return std::uint32_t{1} << static_cast<unsigned>(e); }
    std::uint32_t bits_ = 0;
};
using Pins = BitSet<Pin>;
using Asks = BitSet<Ask>;

// The statement is exactly this question, so that the gate may answer it from memory.
enum class Bare : std::uint8_t {
    none,
    row_count,       // SELECT ROW_COUNT()
    found_rows,      // SELECT FOUND_ROWS()
    last_insert_id,  // SELECT LAST_INSERT_ID()
    connection_id,   // SELECT CONNECTION_ID()
    warning_count,   // SELECT @@warning_count
    error_count,     // SELECT @@error_count
    show_warnings,   // SHOW WARNINGS, without LIMIT
    show_errors,     // SHOW ERRORS, without LIMIT
    processlist,     // SHOW [FULL] PROCESSLIST: the server's to answer, and the gate says whose connections they are
};

enum class Kill : std::uint8_t {
    none,
    connection,  // KILL 5, KILL CONNECTION 5: the number is Facts::kill_id
    query,       // KILL QUERY 5
    other,       // KILL with an expression, KILL USER, KILL QUERY ID: whom it means is not in the text
};

// A piece of the scanned text, by place, so that it outlives the buffer that the text was in.
struct TextSpan {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;

    // REQUIRES: `text` is the whole text that was scanned.
    [[nodiscard]] constexpr std::string_view in(std::string_view text) const { return text.substr(offset, length); }
    friend constexpr bool operator==(const TextSpan&, const TextSpan&) = default;
};

inline constexpr std::size_t kMaxSetNames = 8;
inline constexpr std::size_t kMaxCalls = 4;

struct Facts {
    Kind kind = Kind::empty;       // of the first statement
    std::uint16_t statements = 0;  // how many: more than one only where a `;` is followed by more (stops at 65535)
    Pins pins;                     // of all statements
    Pins may_end;                  // pins that the statement ends if it succeeds, or one of several of their causes
    Asks asks;                     // of all statements, about what was there before the text

    // One SELECT that reads only, whose answer owes nothing to the session's earlier statements and that changes
    // nothing: it may be run a second time. (Whether a table in it is a view, the text cannot tell.)
    bool plain_read = false;

    // Some statement of the text may touch a table. (MariaDB keeps its warnings over those that touch none. FROM within
    // the parentheses of EXTRACT() and the like counts as a table's.)
    bool touches_tables = false;

    bool sets_last_insert_id = false;   // LAST_INSERT_ID(expr): no tracker reports it
    bool calc_found_rows = false;       // SQL_CALC_FOUND_ROWS: the next FOUND_ROWS() is this connection's
    bool new_generation = false;        // privileges, accounts or global variables change: older connections are stale
    bool local_infile = false;          // LOAD DATA LOCAL
    bool session_mode = false;          // the comment tidegate: session
    bool one_shot_transaction = false;  // SET TRANSACTION without SESSION or GLOBAL: for the next transaction only

    // One statement, SET or USE, that changes only session variables, the character set, the schema or a
    // transaction's characteristics, all of which can be restored elsewhere from what the server reports; and user
    // variables where it pins by them.
    bool set_only_carried = false;
    // A SET in a spelling that MariaDB does not report through its trackers (`SET @@x = ..`): the values of
    // `set_names` must be asked for.
    bool set_unreported = false;

    // SET NAMES, SET CHARACTER SET, character_set_connection: collation_connection changes too, and neither server
    // reports that. It is `collation` where the statement names one, else the character set's default (or unknown where
    // `set_unreported` is set as well).
    bool set_collation = false;
    TextSpan collation;  // of SET NAMES .. COLLATE x, without quotes

    std::uint8_t set_count = 0;  // how many of set_names are there
    std::array<TextSpan, kMaxSetNames> set_names =
        {};  // the session variables that it sets, without quotes; all of them, or it pins

    // What it calls that is not the server's own, for CallNames (call_names.h) to read the names from the text: where
    // the name that CALL is followed by begins, and where the names in front of parentheses end. Not told: there are
    // more of them, or it is not sure what they are; then it pins as it does.
    bool calls_told = true;
    bool calls_procedure = false;
    std::uint8_t call_count = 0;
    std::uint32_t procedure_at = 0;
    std::array<std::uint32_t, kMaxCalls> call_ends = {};
    // LAST_INSERT_ID() may be asked for by what it calls, and the statement itself does not ask for it.
    bool only_calls_ask = false;
    // It makes, changes or drops routines, triggers, views, schemas or loadable functions.
    bool changes_routines = false;

    // Filled in by those who know what is called (lifted_calls.h), not by the scanner.
    Pins lifted;                 // pins that it would have, were it not known what it calls
    bool calls_query = false;    // statements within what it calls may have cleared the warnings
    bool trusted_calls = false;  // lifted on the operator's word

    Bare bare = Bare::none;
    TextSpan column;  // the column's name where `bare` is a SELECT: the expression as it was written, or the alias

    Kill kill = Kill::none;
    std::uint64_t kill_id = 0;
    bool kill_query = false;  // of Kill::other: KILL QUERY

    friend bool operator==(const Facts&, const Facts&) = default;
};

// The pin's name in SHOW, the API and the metrics: user_variable, temporary_table, ..
[[nodiscard]] std::string_view name(Pin pin);
// A sentence for the operator: what it is, how it ends, what to do about it.
[[nodiscard]] std::string_view describe(Pin pin);
// The kind's name, for logs and tests.
[[nodiscard]] std::string_view name(Kind kind);

}  // namespace tidegate::sql
