// A way to ask the server something: a connection of our own (ways.h), or the standing one of a running gate.
// One thread at a time; blocks until the answer is there or its time is over.
#pragma once

#include <string>

#include "base/error.h"
#include "watch/table.h"

namespace tidegate::watch {

class Session {
public:
    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    virtual ~Session() = default;

    // One statement and its result; a statement without rows gives an empty table. An error has the server's number,
    // or 2000 to 2999 where the way itself broke.
    virtual Result<Table> ask(const std::string& sql) = 0;

    // For a person: "as app at 127.0.0.1:3306", "through the gate's standing connection".
    [[nodiscard]] virtual std::string way() const = 0;
};

}  // namespace tidegate::watch
