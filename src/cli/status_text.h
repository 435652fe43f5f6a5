// What `tidegate status` prints: for a person, for programs, and for monitoring. Pure: snapshots in, text out.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "watch/snapshot.h"
#include "watch/usage.h"

namespace tidegate::cli {

struct StatusView {
    const watch::Snapshot& snapshot;
    Duration max_idle{};
    Duration long_statement{};
    std::string server{};               // "127.0.0.1:3306"
    std::vector<std::string> failed{};  // the ways that did not work, as sentences
    nlohmann::ordered_json clients{};   // of the gate before it, as /api/clients has them; null: none
};

[[nodiscard]] std::string status_text(const StatusView& view, const watch::Verdict& verdict);
[[nodiscard]] nlohmann::ordered_json status_json(const StatusView& view, const watch::Verdict& verdict);
// "TIDEGATE OK - 3 / 50 (6.0%) .. | connections=3;120;143;0;151 .."
[[nodiscard]] std::string check_line(const StatusView& view, const watch::Verdict& verdict);

}  // namespace tidegate::cli
