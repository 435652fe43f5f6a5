#include "session/charset_names.h"

#include <algorithm>

namespace tidegate::session {
namespace {

constexpr std::string_view kClient = "character_set_client";
constexpr std::string_view kConnection = "character_set_connection";
constexpr std::string_view kResults = "character_set_results";
constexpr std::string_view kCollation = "collation_connection";

const std::string* value_of(const State& state, std::string_view name) {
    const auto at = std::ranges::lower_bound(state.variables, name, {}, &Variable::name);
    return at != state.variables.end() && at->name == name ? &at->value : nullptr;
}

bool differ(const State& from, const State& to, std::string_view name) {
    const std::string* have = value_of(from, name);
    const std::string* want = value_of(to, name);
    return have == nullptr || *have != *want;
}

bool is_plain(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// utf8mb4_bin is a collation of utf8mb4, binary of binary.
bool is_of(std::string_view collation, std::string_view charset) {
    if (!collation.starts_with(charset)) return false;
    collation.remove_prefix(charset.size());
    return collation.empty() || collation.front() == '_';
}

}  // namespace

std::string names_item(const State& from, const State& to) {
    const std::string* client = value_of(to, kClient);
    const std::string* connection = value_of(to, kConnection);
    const std::string* results = value_of(to, kResults);
    const std::string* collation = value_of(to, kCollation);
    if (client == nullptr || connection == nullptr || results == nullptr || collation == nullptr) return {};
    if (*client != *connection || (*results != *client && !results->empty())) return {};
    if (!is_plain(*client) || !is_plain(*collation) || !is_of(*collation, *client)) return {};
    const bool any = differ(from, to, kClient) || differ(from, to, kConnection) || differ(from, to, kResults) ||
                     differ(from, to, kCollation);
    if (!any) return {};
    return "NAMES '" + *client + "' COLLATE '" + *collation + "'";
}

bool set_by_names(const Variable& variable) {
    return variable.name == kClient || variable.name == kConnection || variable.name == kCollation ||
           (variable.name == kResults && !variable.value.empty());
}

}  // namespace tidegate::session
