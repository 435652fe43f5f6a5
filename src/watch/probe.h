// Takes a Snapshot of a server: MariaDB 10.6 to 11.8, MySQL 5.7 to 9.7, with whatever privileges the account has. What
// a missing privilege hides is in Snapshot::hidden and no error.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "watch/session.h"
#include "watch/snapshot.h"

namespace tidegate::watch {

// Errors: the session's, when not even the limits and the process list can be read. `taken` is the caller's clock.
[[nodiscard]] Result<Snapshot> look(Session& session, WallTime taken);

// The process list alone, with transactions: for screens and rules that look every second or so. Of `last` it takes
// over what seldom changes (variables, accounts, hidden).
[[nodiscard]] Result<Snapshot> look_again(Session& session, const Snapshot& last, WallTime taken);

// One connection as it is now; nothing when it has gone. `known` says which server it is.
[[nodiscard]] Result<std::optional<Connection>> look_at(Session& session, const Snapshot& known, std::uint64_t id);

}  // namespace tidegate::watch
