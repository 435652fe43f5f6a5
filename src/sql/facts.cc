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
            return "It has set a user variable (@x) that cannot be carried to another connection: longer than 1024 "
                   "bytes, one of more than 32, of a geometry type, with an odd name, or by SET @x = (SELECT .. FROM "
                   "..). It ends when the client leaves or resets its connection. Use SELECT .. INTO @x, or pass the "
                   "value as a parameter.";
        case Pin::temporary_table:
            return "It has made a temporary table. It ends when the table is dropped, or the client leaves or "
                   "resets its connection. Drop the table as soon as it is done with, or use a table with a key "
                   "for the session.";
        case Pin::named_lock:
            return "It has taken a lock with GET_LOCK(). It ends with RELEASE_LOCK(), or when the client leaves "
                   "or resets its connection. Release such locks as soon as can be, or let a slot of the gate be "
                   "the lock (tidegate exec --single).";
        case Pin::text_prepare:
            return "It has prepared a statement with PREPARE .. FROM. It ends with DEALLOCATE PREPARE, or when "
                   "the client leaves or resets its connection. Let the driver prepare it (the binary protocol), "
                   "or send the statement itself.";
        case Pin::text_execute:
            return "It has run a text with EXECUTE, whose effects cannot be seen from outside. It ends when the "
                   "client leaves or resets its connection. Send the statement itself, or let the driver prepare "
                   "it (the binary protocol).";
        case Pin::handler:
            return "It has opened a table with HANDLER. It ends with HANDLER .. CLOSE, or when the client leaves "
                   "or resets its connection. Use SELECT with a key range.";
        case Pin::lock_tables:
            return "It has locked tables. It ends with UNLOCK TABLES. Use a transaction instead.";
        case Pin::flush_lock:
            return "It holds FLUSH TABLES .. WITH READ LOCK or FOR EXPORT. It ends with UNLOCK TABLES. A dump "
                   "does without by --single-transaction.";
        case Pin::instance_lock:
            return "It holds a backup lock. It ends when the client leaves. Run backups on a connection to the "
                   "server itself.";
        case Pin::xa:
            return "It has used XA transactions. It ends when the client leaves. Give the account session mode "
                   "(mode = \"session\" in its [[user]]).";
        case Pin::call:
            return "It has called a procedure that is not known to leave nothing behind. It ends when the client "
                   "leaves "
                   "or resets its connection. See which of its statements does, or trust it with a [[rule]].";
        case Pin::unknown_function:
            return "It has called a function that is not known to leave nothing behind, or a trigger or routine has "
                   "changed the session. It ends when the client leaves or resets its connection. See which of its "
                   "statements does, or trust it with a [[rule]].";
        case Pin::variable:
            return "It has set a system variable that cannot be carried to another connection. It ends when the "
                   "client leaves or resets its connection. Leave the SET out if the program does not need it, "
                   "or set the variable on the server.";
        case Pin::role:
            return "It has set a role whose name Tidegate cannot write safely. It ends with SET ROLE NONE, or when the "
                   "client leaves. Give the account a default role instead.";
        case Pin::profiling:
            return "It has switched profiling on or off, whose history lives in the connection. It ends when the "
                   "client leaves. Use performance_schema.";
        case Pin::set_statement:
            return "It has used SET STATEMENT .. FOR, whose values cannot be told from those that stay. It ends "
                   "when the client leaves or resets its connection. Set the variable for the session instead.";
        case Pin::sequence:
            return "It has taken a value of a sequence, and LASTVAL() belongs to the connection. It ends when "
                   "the client leaves or resets its connection. Use AUTO_INCREMENT.";
        case Pin::compound:
            return "It has sent a block of statements that cannot be told apart. It ends when the client leaves "
                   "or resets its connection. Send one statement at a time.";
        case Pin::executable_comment:
            return "It has sent a comment of the kind /*! .. */ where leaving it out makes another statement. It "
                   "ends when the client leaves or resets its connection. Write the statement for the server in "
                   "use.";
        case Pin::multibyte:
            return "It has sent characters that cannot be told from quotes in its character set, or uses a schema "
                   "whose "
                   "name is not ASCII in a session that is not in utf8. It ends when the client leaves or resets its "
                   "connection. Use utf8mb4.";
        case Pin::asked:
            return "It has asked for a connection of its own, by a comment (tidegate: pin, tidegate: session), "
                   "or by a statement that asks about its connection or about the statement before. It ends when "
                   "the client leaves or resets its connection. Ask in a bare statement: SELECT CONNECTION_ID(), "
                   "SELECT ROW_COUNT(), SHOW WARNINGS.";
        case Pin::unknown_statement:
            return "It has sent a statement that the gate does not know. It ends when the client leaves or "
                   "resets its connection. Use an account in session mode for it.";
        case Pin::cursor:
            return "It has opened a cursor with a prepared statement. It ends when the last row is fetched, or "
                   "the statement is reset or closed. Fetch without a cursor.";
        case Pin::long_data:
            return "It has sent a parameter of a prepared statement in pieces. It ends when the statement is "
                   "executed, reset or closed. Bind the value as a whole.";
        case Pin::prepared:
            return "It has prepared a statement that works only where it was prepared (longer than 32 KB, more "
                   "than 4096 parameters, or one that asks about the statement before). It ends when that "
                   "statement is closed. Send it as text.";
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
