// The words that mean something to the scanner: keywords that decide what a statement is, the servers' own functions,
// and words behind which a parenthesis calls nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidegate::sql {

// Words that the scanner's rules name, each in words.cc's table as it is spelled here, without the underscore at its
// end.
#define TIDEGATE_SQL_WORDS(X)                                                                                                 \
    X(alter) X(analyze) X(as) X(backup) X(begin) X(binlog) X(cache) X(call) X(change) X(character) X(charset) X(check)    \
    X(checksum) X(clone) X(close) X(collate) X(columns) X(commit) X(connection) X(currval) X(connection_id) X(create) X(data)        \
    X(database) X(deallocate) X(default) X(delete) X(desc) X(describe) X(do) X(drop) X(end) X(error_count) X(errors)      \
    X(event) X(execute) X(explain) X(export) X(flush) X(for) X(found_rows) X(from) X(function) X(get) X(get_lock)         \
    X(global) X(grant) X(grants) X(group_replication) X(handler) X(hard) X(help) X(id) X(identity) X(import) X(index)     \
    X(infile) X(insert) X(install) X(instance) X(into) X(is_used_lock) X(json_table) X(kill) X(last_insert_id)            \
    X(lastval) X(library) X(load) X(local) X(lock) X(names) X(next) X(nextval) X(open) X(optimize) X(package) X(partition) \
    X(password) X(persist) X(persist_only) X(prepare) X(previous) X(privileges) X(procedure) X(ps_current_thread_id)      \
    X(pseudo_thread_id) X(purge) X(query) X(recover) X(recursive) X(release) X(release_all_locks) X(release_lock)         \
    X(rename) X(repair) X(replace) X(replica) X(reset) X(resignal) X(resource) X(restart) X(revoke) X(role) X(rollback)   \
    X(row_count) X(savepoint) X(schema) X(select) X(session) X(set) X(setval) X(share) X(show) X(shutdown) X(signal)      \
    X(slave) X(slaves) X(all) X(soft) X(sql_calc_found_rows) X(stage) X(start) X(statement) X(stop) X(table) X(tables)    \
    X(temporary) X(to) X(transaction) X(trigger) X(truncate) X(uninstall) X(unlock) X(update) X(use) X(user) X(value)     \
    X(values) X(view) X(warning_count) X(warnings) X(with) X(work) X(xa) X(xml)

enum class Word : std::uint8_t {
    none,
#define TIDEGATE_SQL_WORD(word) word##_,
    TIDEGATE_SQL_WORDS(TIDEGATE_SQL_WORD)
#undef TIDEGATE_SQL_WORD
};

struct WordInfo {
    Word word = Word::none;
    bool mariadb_function = false;  // native, and without an effect on the session but what `word` says
    bool mysql_function = false;
    bool no_call = false;  // a keyword that no routine can be called by: a parenthesis behind it is not a call
    bool tight = false;    // a function only where the parenthesis follows at once, unless IGNORE_SPACE is on
    bool waits = false;    // a function whose answer is about the server's replication or locks: not for a plain read
};

// Null for a word that means nothing. REQUIRES: an unquoted word.
[[nodiscard]] const WordInfo* find_word(std::string_view word);

}  // namespace tidegate::sql
