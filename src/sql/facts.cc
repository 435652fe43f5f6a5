#include "sql/facts.h"

namespace tidegate::sql {

std::string_view name(Pin pin) {
    switch (pin) {
        case Pin::user_variable:
            return "user_variable";
        case Pin::temporary_table:
            return "temporary_table";
        case Pin::named_lock:
            return "named_lock";
        case Pin::text_prepare:
            return "text_prepare";
        case Pin::text_execute:
            return "text_execute";
        case Pin::handler:
            return "handler";
        case Pin::lock_tables:
            return "lock_tables";
        case Pin::flush_lock:
            return "flush_lock";
        case Pin::instance_lock:
            return "instance_lock";
        case Pin::xa:
            return "xa";
        case Pin::call:
            return "call";
        case Pin::unknown_function:
            return "unknown_function";
        case Pin::variable:
            return "variable";
        case Pin::role:
            return "role";
        case Pin::profiling:
            return "profiling";
        case Pin::set_statement:
            return "set_statement";
        case Pin::sequence:
            return "sequence";
        case Pin::compound:
            return "compound";
        case Pin::executable_comment:
            return "executable_comment";
        case Pin::multibyte:
            return "multibyte";
        case Pin::asked:
            return "asked";
        case Pin::unknown_statement:
            return "unknown_statement";
        case Pin::cursor:
            return "cursor";
        case Pin::long_data:
            return "long_data";
        case Pin::prepared:
            return "prepared_statement";
    }
    return "?";
}

std::string_view describe(Pin pin) {
    switch (pin) {
        case Pin::user_variable:
            return "It uses a user variable (@x), which lives in its connection: it ends when the client leaves or "
                   "resets its "
                   "connection; pass the value as a parameter instead.";
        case Pin::temporary_table:
            return "It made a temporary table: it ends when the client leaves or resets its connection; use a table "
                   "with a "
                   "key for the session.";
        case Pin::named_lock:
            return "It took a lock with GET_LOCK(): it ends when the client leaves or resets its connection; hold such "
                   "locks on a connection of their own, for as short as can be, or use a slot of the gate.";
        case Pin::text_prepare:
            return "It prepared a statement with PREPARE .. FROM: it ends when the client leaves or resets its "
                   "connection; "
                   "send the statement itself.";
        case Pin::text_execute:
            return "It ran a text with EXECUTE, whose effects cannot be seen from outside: it ends when the client "
                   "leaves "
                   "or resets its connection; send the statement itself.";
        case Pin::handler:
            return "It opened a table with HANDLER: it ends when the client leaves or resets its connection; use "
                   "SELECT with a "
                   "key range.";
        case Pin::lock_tables:
            return "It locked tables: it ends with UNLOCK TABLES; use a transaction.";
        case Pin::flush_lock:
            return "It holds FLUSH TABLES .. WITH READ LOCK or FOR EXPORT: it ends with UNLOCK TABLES; for a dump, "
                   "--single-transaction does without.";
        case Pin::instance_lock:
            return "It holds a backup lock: it ends when the client leaves; run backups on a connection to the server "
                   "itself.";
        case Pin::xa:
            return "It has used XA transactions: it ends when the client leaves; give the account session mode.";
        case Pin::call:
            return "It called a procedure, which may leave anything behind: it ends when the client leaves or resets "
                   "its "
                   "connection; declare the procedure as harmless if it is.";
        case Pin::unknown_function:
            return "It called a function that is not the server's own, which may leave anything behind: it ends when "
                   "the "
                   "client leaves or resets its connection; declare the function as harmless if it is.";
        case Pin::variable:
            return "It set a system variable that cannot be carried to another connection: it ends when the client "
                   "leaves "
                   "or resets its connection; leave out the SET if the program does not need it.";
        case Pin::role:
            return "It set a role: it ends when the client leaves; give the account a default role instead.";
        case Pin::profiling:
            return "It switched profiling on or off, whose history lives in the connection: it ends when the client "
                   "leaves; "
                   "use performance_schema.";
        case Pin::set_statement:
            return "It used SET STATEMENT .. FOR, whose values cannot be told from those that stay: it ends when the "
                   "client "
                   "leaves or resets its connection; set the variable for the session.";
        case Pin::sequence:
            return "It took a sequence's value, and LASTVAL() belongs to the connection: it ends when the client "
                   "leaves or "
                   "resets its connection; use AUTO_INCREMENT.";
        case Pin::compound:
            return "It sent a block of statements that cannot be told apart: it ends when the client leaves or resets "
                   "its "
                   "connection; send one statement at a time.";
        case Pin::executable_comment:
            return "It has a comment of the kind /*! .. */ where leaving it out makes another statement: it ends when "
                   "the "
                   "client leaves or resets its connection; write the statement for the server in use.";
        case Pin::multibyte:
            return "It has characters that cannot be told from quotes without knowing the character set: it ends when "
                   "the "
                   "client leaves or resets its connection; use utf8mb4.";
        case Pin::asked:
            return "A comment in it asks for a connection of its own (tidegate: pin, tidegate: session): it ends when "
                   "the "
                   "client leaves or resets its connection.";
        case Pin::unknown_statement:
            return "It is a statement that the gate does not know: it ends when the client leaves or resets its "
                   "connection.";
        case Pin::cursor:
            return "It has opened a cursor with a prepared statement: it ends when the last row is fetched, or the "
                   "statement is "
                   "reset or closed; fetch without a cursor.";
        case Pin::long_data:
            return "It has sent a parameter of a prepared statement in pieces: it ends when the statement is executed, "
                   "reset or closed; bind the value as a whole.";
        case Pin::prepared:
            return "It has prepared a statement that works only where it was prepared (one longer than 32 KB or with "
                   "more than 4096 "
                   "parameters, or one that asks about the statement before): it ends when that statement is closed; "
                   "send it as text.";
    }
    return "?";
}

std::string_view name(Kind kind) {
    switch (kind) {
        case Kind::empty:
            return "empty";
        case Kind::select:
            return "select";
        case Kind::insert:
            return "insert";
        case Kind::update:
            return "update";
        case Kind::delete_:
            return "delete";
        case Kind::replace:
            return "replace";
        case Kind::set:
            return "set";
        case Kind::use:
            return "use";
        case Kind::begin:
            return "begin";
        case Kind::commit:
            return "commit";
        case Kind::rollback:
            return "rollback";
        case Kind::savepoint:
            return "savepoint";
        case Kind::call:
            return "call";
        case Kind::show:
            return "show";
        case Kind::ddl:
            return "ddl";
        case Kind::prepare:
            return "prepare";
        case Kind::execute:
            return "execute";
        case Kind::deallocate:
            return "deallocate";
        case Kind::lock_tables:
            return "lock_tables";
        case Kind::unlock_tables:
            return "unlock_tables";
        case Kind::flush:
            return "flush";
        case Kind::handler:
            return "handler";
        case Kind::xa:
            return "xa";
        case Kind::do_:
            return "do";
        case Kind::kill:
            return "kill";
        case Kind::load_data:
            return "load_data";
        case Kind::explain:
            return "explain";
        case Kind::grant:
            return "grant";
        case Kind::other:
            return "other";
        case Kind::unknown:
            return "unknown";
    }
    return "?";
}

}  // namespace tidegate::sql
