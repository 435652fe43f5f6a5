// What a lease has left on its connection, judged by the statements that ran there. Resetting costs a round trip and
// every prepared statement, so it is done only where something may be there. Whatever is not known to leave nothing
// counts as leaving something. Pure.
#pragma once

#include <cstdint>

#include "sql/facts.h"

namespace tidegate::client {

class SessionMark {
public:
    // A statement was sent, whether or not it succeeded.
    void sent(const sql::Facts& facts);
    void reset() { *this = {}; }

    [[nodiscard]] bool dirty() const { return dirty_; }
    // USE: a reset keeps the schema.
    [[nodiscard]] bool schema_changed() const { return schema_changed_; }
    // A role, XA, profiling, a backup lock: a reset leaves them, or does harm.
    [[nodiscard]] bool beyond_reset() const { return beyond_reset_; }

private:
    bool dirty_ = false;
    bool schema_changed_ = false;
    bool beyond_reset_ = false;
};

}  // namespace tidegate::client
