#include "session/state.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <utility>

#include "session/charset_names.h"
#include "session/user_variables.h"

namespace tidegate::session {
namespace {

std::size_t hash_of(const State& state) {
    const std::hash<std::string_view> hash;
    std::size_t sum = hash(state.schema) + (state.multi_statements ? 1 : 0);
    for (const Variable& each : state.variables) {
        sum = sum * 31 + hash(each.name);
        sum = sum * 31 + hash(each.value);
    }
    sum = sum * 31 + hash(state.role);
    return sum * 31 + hash(state.next_transaction);
}

// Sorted, for the search. Not here, and why: timestamp, insert_id, last_insert_id, rand_seed1, rand_seed2, gtid_next
// (they belong to one statement: restoring one would freeze it), sql_log_bin and the like (they need privileges: the
// statement that restores could fail), character_set_database (follows the schema), profiling (survives a reset).
constexpr std::array<std::string_view, 84> kCarried{
    "alter_algorithm",
    "auto_increment_increment",
    "auto_increment_offset",
    "autocommit",
    "big_tables",
    "bulk_insert_buffer_size",
    "character_set_client",
    "character_set_connection",
    "character_set_results",
    "character_set_server",  // in a state: what collation_server says
    "check_constraint_checks",
    "collation_connection",
    "collation_server",
    "completion_type",
    "cte_max_recursion_depth",
    "default_collation_for_utf8mb4",
    "default_storage_engine",
    "default_week_format",
    "div_precision_increment",
    "end_markers_in_json",
    "eq_range_index_dive_limit",
    "explicit_defaults_for_timestamp",
    "foreign_key_checks",
    "group_concat_max_len",
    "in_predicate_conversion_threshold",
    "information_schema_stats_expiry",
    "innodb_lock_wait_timeout",
    "innodb_strict_mode",
    "interactive_timeout",
    "join_buffer_size",
    "join_cache_level",
    "lc_messages",
    "lc_time_names",
    "lock_wait_timeout",
    "long_query_time",
    "low_priority_updates",
    "max_error_count",
    "max_execution_time",
    "max_heap_table_size",
    "max_join_size",
    "max_length_for_sort_data",
    "max_points_in_geometry",
    "max_recursive_iterations",
    "max_seeks_for_key",
    "max_sort_length",
    "max_sp_recursion_depth",
    "max_statement_time",
    "min_examined_row_limit",
    "myisam_sort_buffer_size",
    "net_read_timeout",
    "net_retry_count",
    "net_write_timeout",
    "old_mode",
    "optimizer_prune_level",
    "optimizer_search_depth",
    "optimizer_switch",
    "optimizer_use_condition_selectivity",
    "print_identified_with_as_hex",
    "query_cache_type",
    "read_buffer_size",
    "read_rnd_buffer_size",
    "sort_buffer_size",
    "sql_auto_is_null",
    "sql_big_selects",
    "sql_buffer_result",
    "sql_generate_invisible_primary_key",
    "sql_mode",
    "sql_notes",
    "sql_quote_show_create",
    "sql_require_primary_key",
    "sql_safe_updates",
    "sql_select_limit",
    "sql_warnings",
    "time_zone",
    "tmp_table_size",
    "transaction_isolation",
    "transaction_read_only",
    "tx_isolation",
    "tx_read_only",
    "unique_checks",
    "updatable_views_with_limit",
    "use_stat_tables",
    "wait_timeout",
    "windowing_use_high_precision",
};
static_assert(std::ranges::is_sorted(kCarried));

// Of those, the ones that neither a parser nor a resolver asks for: transactions, time-outs, what is sent back. Sorted.
constexpr std::array<std::string_view, 22> kNotPrepared{
    "autocommit",
    "character_set_results",
    "completion_type",
    "foreign_key_checks",
    "innodb_lock_wait_timeout",
    "interactive_timeout",
    "lc_messages",
    "lock_wait_timeout",
    "long_query_time",
    "low_priority_updates",
    "max_error_count",
    "max_statement_time",
    "net_read_timeout",
    "net_retry_count",
    "net_write_timeout",
    "sql_warnings",
    "transaction_isolation",
    "transaction_read_only",
    "tx_isolation",
    "tx_read_only",
    "unique_checks",
    "wait_timeout",
};
static_assert(std::ranges::is_sorted(kNotPrepared));

bool matters_to_prepare(const Variable& variable) {
    return !is_user_variable(variable.name) &&
           !std::ranges::binary_search(kNotPrepared, std::string_view(variable.name));
}

bool is_number(std::string_view value) {
    if (value.starts_with('-')) value.remove_prefix(1);
    if (value.empty() || value.front() == '.' || value.back() == '.') return false;
    return std::ranges::all_of(value, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
           std::ranges::count(value, '.') <= 1;
}

// A literal is in the connection's character set, and there are places where servers compare it with ASCII by its
// bytes.
bool has_wide_literals(const State& state) {
    const auto found = std::ranges::find(state.variables, "character_set_connection", &Variable::name);
    return found != state.variables.end() && (found->value == "ucs2" || found->value.starts_with("utf16") ||
                                              found->value == "utf32" || found->value == kUnknown);
}

// A value as it stands behind `name =`; false where it cannot be written so that every sql_mode reads it the same.
bool append_value(const Variable& variable, std::string_view introducer, std::string& text) {
    if (is_user_variable(variable.name)) {
        text += variable.value;
        return true;
    }
    if (variable.value == kUnknown || variable.value.find_first_of("\\'\"\n\r") != std::string::npos ||
        variable.value.find('\0') != std::string::npos) {
        return false;
    }
    if (variable.name == "character_set_results" && variable.value.empty()) {
        text += "NULL";
    } else if (is_number(variable.value)) {
        text += variable.value;
    } else {
        text.append(introducer).append(1, '\'').append(variable.value).append(1, '\'');
    }
    return true;
}

}  // namespace

StatePtr States::intern(State state) {
    const std::size_t hash = hash_of(state);
    const auto [begin, end] = known_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
        if (StatePtr known = it->second.lock(); known && *known == state) return known;
    }
    if (known_.size() >= next_sweep_) {
        std::erase_if(known_, [](const auto& each) { return each.second.expired(); });
        next_sweep_ = known_.size() * 2 + 64;
    }
    auto made = std::make_shared<const State>(std::move(state));
    known_.emplace(hash, made);
    return made;
}

StatePtr States::with_schema(const StatePtr& from, std::string_view schema) {
    if (from->schema == schema) return from;
    State changed = *from;
    changed.schema = schema;
    return intern(std::move(changed));
}

StatePtr States::with_variables(const StatePtr& from, std::span<const Variable> changes) {
    State changed = *from;
    for (const Variable& change : changes) {
        const auto at = std::ranges::lower_bound(changed.variables, change.name, {}, &Variable::name);
        if (at != changed.variables.end() && at->name == change.name) {
            at->value = change.value;
        } else {
            changed.variables.insert(at, change);
        }
    }
    return changed == *from ? from : intern(std::move(changed));
}

StatePtr States::with_multi_statements(const StatePtr& from, bool on) {
    if (from->multi_statements == on) return from;
    State changed = *from;
    changed.multi_statements = on;
    return intern(std::move(changed));
}

StatePtr States::with_role(const StatePtr& from, std::string_view role) {
    if (from->role == role) return from;
    State changed = *from;
    changed.role = role;
    return intern(std::move(changed));
}

StatePtr States::with_next_transaction(const StatePtr& from, std::string_view statements) {
    if (from->next_transaction == statements) return from;
    State changed = *from;
    changed.next_transaction = statements;
    return intern(std::move(changed));
}

StatePtr States::for_prepare(const StatePtr& from) {
    State part = *from;
    part.multi_statements = false;  // a prepared text is one statement in any case
    part.next_transaction.clear();
    std::erase_if(part.variables, [](const Variable& each) { return !matters_to_prepare(each); });
    return part == *from ? from : intern(std::move(part));
}

StatePtr States::preparing(const StatePtr& now, const StatePtr& prepared) {
    State state = *prepared;
    if (state.schema.empty()) state.schema = now->schema;
    state.multi_statements = now->multi_statements;
    state.next_transaction = now->next_transaction;
    std::ranges::remove_copy_if(now->variables, std::back_inserter(state.variables), matters_to_prepare);
    std::ranges::sort(state.variables, {}, &Variable::name);
    return state == *now ? now : intern(std::move(state));
}

std::optional<std::string> restoring_statement(const State& from, const State& to) {
    const std::string names = names_item(from, to);
    std::string text = names.empty() ? "" : "SET " + names;
    const auto begin_item = [&](const std::string& name) {
        text += text.empty() ? "SET " : ",";
        if (is_user_variable(name)) {
            text.append("@`").append(name, 1).append("`=");
        } else {
            text.append("@@session.").append(name).append(1, '=');
        }
    };
    const std::string_view introducer = has_wide_literals(from) ? "_utf8mb4" : "";
    auto have = from.variables.begin();
    auto want = to.variables.begin();
    while (have != from.variables.end() || want != to.variables.end()) {
        if (want == to.variables.end() || (have != from.variables.end() && have->name < want->name)) {
            begin_item(have->name);
            // MySQL takes DEFAULT for the value that these have at the moment.
            const bool own_default = have->name == "foreign_key_checks" || have->name == "unique_checks";
            text.append(own_default ? "@@global." + have->name : "DEFAULT");
            ++have;
        } else if (!names.empty() && set_by_names(*want)) {
            if (have != from.variables.end() && have->name == want->name) ++have;
            ++want;
        } else if (have == from.variables.end() || want->name < have->name) {
            begin_item(want->name);
            if (!append_value(*want, introducer, text)) return std::nullopt;
            ++want;
        } else {
            // A connection's collation follows its character set, so the one is set again wherever the other is. NAMES
            // has set the results' character set, whatever it was.
            const bool same =
                have->value == want->value && (names.empty() || want->name != "character_set_results") &&
                (want->name != "collation_connection" || text.find("character_set_connection") == std::string::npos);
            if (!same) {
                begin_item(want->name);
                if (!append_value(*want, introducer, text)) return std::nullopt;
            }
            ++have;
            ++want;
        }
    }
    return text;
}

bool is_carried(std::string_view name) {
    return std::ranges::binary_search(kCarried, name);
}

std::span<const std::string_view> carried_variables() {
    return kCarried;
}

std::optional<std::string> role_clause(protocol::Flavour flavour, std::string_view current) {
    constexpr std::size_t kLongest = 1024;
    const bool plain = std::ranges::all_of(current, [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
    if (current.empty() || current.size() > kLongest || !plain) return std::nullopt;
    if (current == "NONE" || flavour == protocol::Flavour::mysql) return std::string(current);  // `a`@`%`,`b`@`%`
    if (current.find('`') != std::string_view::npos) return std::nullopt;
    return "`" + std::string(current) + "`";
}

bool is_reported_by_default(std::string_view name) {
    static constexpr std::array<std::string_view, 5> kDefault{
        "autocommit", "character_set_client", "character_set_connection", "character_set_results", "time_zone"};
    return std::ranges::find(kDefault, name) != kDefault.end();
}

}  // namespace tidegate::session
