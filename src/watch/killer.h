// Ends connections, one at a time, each looked at again at the last moment: one that has woken, or that is another by
// now, is left alone. MariaDB looks and kills in one statement; elsewhere a round trip lies between the two.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "watch/session.h"
#include "watch/snapshot.h"

namespace tidegate::watch {

enum class End : std::uint8_t {
    ended,
    changed,  // it does something else than when it was chosen, or is somebody else's: left alone
    gone,     // it had ended by itself
    refused,  // the server did not do it; `why` says so
};
[[nodiscard]] std::string_view name_of(End end);

struct Killed {
    Connection connection;
    End end = End::ended;
    std::string why;
};

// `query_only`: the statement is stopped and the connection stays. A broken session is `refused`.
[[nodiscard]] Killed kill(Session& session, const Snapshot& chosen_from, const Connection& victim, bool query_only);

// For a log: "connection 42, app at 10.0.0.7:43210, php worker.php (pid 4242), schema shop, Sleep for 41 minutes".
[[nodiscard]] std::string sentence_of(const Connection& connection);

}  // namespace tidegate::watch
