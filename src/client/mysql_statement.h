// Prepared statements of one connection: the last few texts stay prepared, so that using one again costs one round
// trip.
#pragma once

#include <mysql.h>
#include <tidegate/parameter.h>

#include <cstddef>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::client {

class StatementCache {
public:
    StatementCache(MYSQL* mysql, std::size_t limit) : mysql_(mysql), limit_(limit) {}

    // The text, prepared; the one used longest ago makes room. Good until the next call.
    Result<MYSQL_STMT*> prepare(std::string_view sql);
    // They are closed at the server, too, where the connection lives.
    void clear() { statements_.clear(); }

private:
    struct Close {
        void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
    };
    struct Entry {
        std::string sql;
        std::unique_ptr<MYSQL_STMT, Close> statement;
    };

    MYSQL* mysql_;
    std::size_t limit_;
    std::list<Entry> statements_;  // the one used last first
};

// Sends it with these values. Errors: 2034, their number is another.
Result<void> execute_with(MYSQL_STMT* statement, std::span<const Parameter> values);

}  // namespace tidegate::client
