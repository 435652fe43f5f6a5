#include "api/console/variables.h"

#include <algorithm>
#include <array>

namespace tidegate::api::console {
namespace {

constexpr std::array<Variable, 32> kVariables{{{"auto_increment_increment", "1"},
                                               {"autocommit", "1"},
                                               {"character_set_client", "utf8mb4"},
                                               {"character_set_connection", "utf8mb4"},
                                               {"character_set_database", "utf8mb4"},
                                               {"character_set_results", "utf8mb4"},
                                               {"character_set_server", "utf8mb4"},
                                               {"character_set_system", "utf8mb3"},
                                               {"collation_connection", "utf8mb4_general_ci"},
                                               {"collation_database", "utf8mb4_general_ci"},
                                               {"collation_server", "utf8mb4_general_ci"},
                                               {"default_storage_engine", "none"},
                                               {"event_scheduler", "OFF"},
                                               {"init_connect", ""},
                                               {"interactive_timeout", "28800"},
                                               {"license", "Apache-2.0"},
                                               {"lower_case_table_names", "0"},
                                               {"max_allowed_packet", "16777216"},
                                               {"net_buffer_length", "16384"},
                                               {"net_read_timeout", "30"},
                                               {"net_write_timeout", "60"},
                                               {"performance_schema", "0"},
                                               {"protocol_version", "10"},
                                               {"read_only", "0"},
                                               {"sql_mode", ""},
                                               {"system_time_zone", "UTC"},
                                               {"time_zone", "SYSTEM"},
                                               {"transaction_isolation", "REPEATABLE-READ"},
                                               {"transaction_read_only", "0"},
                                               {"tx_isolation", "REPEATABLE-READ"},
                                               {"version_comment", "Tidegate, the administrator's console"},
                                               {"wait_timeout", "28800"}}};
static_assert(std::ranges::is_sorted(kVariables, {}, &Variable::name));

}  // namespace

std::span<const Variable> variables() {
    return kVariables;
}

std::optional<std::string_view> variable(std::string_view name) {
    const auto found = std::ranges::lower_bound(kVariables, name, {}, &Variable::name);
    if (found == kVariables.end() || found->name != name) return std::nullopt;
    return found->value;
}

}  // namespace tidegate::api::console
