// One client of the twin test: does what it is told over Connector/C, and gives back all that it could see of the
// reply, as text.
#pragma once

#include <mysql.h>

#include <map>
#include <string>
#include <vector>

namespace tidegate::twin {

struct Place {
    std::string host = "127.0.0.1";
    unsigned port = 0;
    std::string user = "app";
    std::string password = "app-secret";
    std::string schema = "app_twin";
};

// What a client does in one step.
struct Act {
    enum class Kind {
        query,    // text, which may be several statements
        prepare,  // text, under the number `slot`
        execute,  // `slot`, with `values`
        fetch,    // the same with a cursor, a row at a time; what it leaves is not read
        close,    // `slot`
        ping,
        reset,        // COM_RESET_CONNECTION
        change_user,  // to the same account
        use,          // COM_INIT_DB of `text`
    };
    Kind kind = Kind::query;
    std::string text{};
    int slot = 0;
    std::vector<std::string> values{};  // bound as strings, or as numbers where they are numbers
    [[nodiscard]] std::string str() const;
};

class Session {
public:
    explicit Session(Place place);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Everything of the reply that the client can see: rows, columns, counts, ids, warnings, flags, errors.
    std::string act(const Act& act);

private:
    [[nodiscard]] std::string flags() const;
    [[nodiscard]] std::string error() const;
    std::string results();
    std::string rows(MYSQL_RES* result);
    std::string prepare(const Act& act);
    std::string execute(const Act& act, bool cursor);
    std::string outcome(int failed);
    void forget_statements();

    Place place_;
    MYSQL* mysql_;
    std::map<int, MYSQL_STMT*> statements_;
};

}  // namespace tidegate::twin
