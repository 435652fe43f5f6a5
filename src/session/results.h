// What a session's last statement has left to ask for, as far as its reply tells: ROW_COUNT(), FOUND_ROWS(), whether
// there are warnings. While the session keeps its connection the server knows better and is asked; after somebody else
// had it, the gate answers from here. It follows what the servers do, not what their manuals say;
// tests/integration/test_session_state.py holds it against both. Pure.
//
// Not followed: FOUND_ROWS() after statements that are no SELECT and no SHOW. Both servers change it there, by accident
// and each differently (INSERT .. SELECT; MySQL's UPDATE and DO; EXPLAIN); here it is that of the last SELECT or SHOW.
#pragma once

#include <cstdint>

#include "protocol/handshake.h"
#include "protocol/reply_walker.h"
#include "sql/facts.h"

namespace tidegate::session {

// Where the answer to a question about the last statement is.
enum class Left : std::uint8_t {
    as_before,  // where it was: the statement has left it alone
    here,       // in Results
    on_server,  // on the connection that the statement ran on, and nowhere else
};

class Results {
public:
    using Outcome = protocol::ReplyWalker::Outcome;

    explicit Results(protocol::Flavour flavour) : flavour_(flavour) { start(); }

    void start();  // a new session
    void after(const sql::Facts& facts, const Outcome& outcome);
    void prepared(const Outcome& outcome);  // COM_STMT_PREPARE
    void pinged() { row_count_ = 0; }       // a server's COM_PING says OK, too
    void killed();                          // KILL of a client, which the gate has seen to
    // The gate has answered this question from memory: what the server's answer would have left.
    void answered(sql::Bare question);

    [[nodiscard]] std::int64_t row_count() const { return row_count_; }
    [[nodiscard]] std::uint64_t found_rows() const { return found_rows_; }
    [[nodiscard]] std::uint16_t warning_count() const { return warning_count_; }
    // What the last of the above has done.
    [[nodiscard]] Left row_count_left() const { return row_count_left_; }
    [[nodiscard]] Left found_rows_left() const { return found_rows_left_; }
    [[nodiscard]] Left warnings_left() const { return warnings_left_; }

private:
    [[nodiscard]] bool keeps_warnings(const sql::Facts& facts) const;
    void warn(std::uint16_t count, Left left);

    protocol::Flavour flavour_;
    std::int64_t row_count_ = 0;
    std::uint64_t found_rows_ = 0;
    std::uint16_t warning_count_ = 0;  // as the reply said; of an error nothing is said
    Left row_count_left_ = Left::here;
    Left found_rows_left_ = Left::here;
    Left warnings_left_ = Left::here;
    bool may_have_warnings_ = false;  // of an earlier statement, unless one has cleared them since
};

}  // namespace tidegate::session
