#include "sql/variables.h"

#include <array>

#include "sql/word_table.h"

namespace tidegate::sql {
namespace {

// A list of what is known to be harmless. Whatever is not here pins: timestamp, insert_id, last_insert_id, identity,
// rand_seed1, rand_seed2, gtid_*, server_id, pseudo_*, sql_log_bin, sql_log_off, skip_replication, binlog_*, debug*,
// dbug, session_track_* (the gate's own), optimizer_trace (its trace stays in the session), character_set_database and
// collation_database (they belong to the schema), innodb_tmpdir and the like (the value that is reported for NULL
// cannot be set), default_master_connection, resultset_metadata, wsrep_on, ..
constexpr auto kBoth = std::to_array<std::string_view>({
    "auto_increment_increment",
    "auto_increment_offset",
    "autocommit",
    "big_tables",
    "bulk_insert_buffer_size",
    "character_set_client",
    "character_set_connection",
    "character_set_filesystem",
    "character_set_results",
    "character_set_server",
    "collation_connection",
    "collation_server",
    "completion_type",
    "default_storage_engine",
    "default_week_format",
    "div_precision_increment",
    "eq_range_index_dive_limit",
    "explicit_defaults_for_timestamp",
    "foreign_key_checks",
    "group_concat_max_len",
    "innodb_ft_enable_stopword",
    "innodb_lock_wait_timeout",
    "innodb_strict_mode",
    "innodb_table_locks",
    "interactive_timeout",
    "join_buffer_size",
    "keep_files_on_create",
    "lc_messages",
    "lc_time_names",
    "lock_wait_timeout",
    "long_query_time",
    "low_priority_updates",
    "max_error_count",
    "max_heap_table_size",
    "max_join_size",
    "max_length_for_sort_data",
    "max_seeks_for_key",
    "max_sort_length",
    "max_sp_recursion_depth",
    "min_examined_row_limit",
    "myisam_sort_buffer_size",
    "myisam_stats_method",
    "net_read_timeout",
    "net_retry_count",
    "net_write_timeout",
    "old_alter_table",
    "optimizer_prune_level",
    "optimizer_search_depth",
    "optimizer_switch",
    "preload_buffer_size",
    "query_alloc_block_size",
    "query_prealloc_size",
    "range_alloc_block_size",
    "read_buffer_size",
    "read_rnd_buffer_size",
    "sort_buffer_size",
    "sql_auto_is_null",
    "sql_big_selects",
    "sql_buffer_result",
    "sql_mode",
    "sql_notes",
    "sql_quote_show_create",
    "sql_safe_updates",
    "sql_select_limit",
    "sql_warnings",
    "time_zone",
    "tmp_table_size",
    "transaction_alloc_block_size",
    "transaction_prealloc_size",
    "unique_checks",
    "updatable_views_with_limit",
    "wait_timeout",
});

constexpr auto kMariadb = std::to_array<std::string_view>({
    "alter_algorithm",
    "analyze_sample_percentage",
    "aria_sort_buffer_size",
    "check_constraint_checks",
    "column_compression_threshold",
    "column_compression_zlib_level",
    "default_regex_flags",
    "expensive_subquery_limit",
    "histogram_size",
    "histogram_type",
    "idle_readonly_transaction_timeout",
    "idle_transaction_timeout",
    "idle_write_transaction_timeout",
    "in_predicate_conversion_threshold",
    "innodb_snapshot_isolation",
    "join_buffer_space_limit",
    "join_cache_level",
    "log_slow_filter",
    "log_slow_min_examined_row_limit",
    "log_slow_query",
    "log_slow_query_time",
    "log_slow_rate_limit",
    "log_slow_verbosity",
    "max_recursive_iterations",
    "max_rowid_filter_size",
    "max_session_mem_used",
    "max_statement_time",
    "mrr_buffer_size",
    "note_verbosity",
    "old_mode",
    "optimizer_adjust_secondary_key_costs",
    "optimizer_extra_pruning_depth",
    "optimizer_max_sel_arg_weight",
    "optimizer_max_sel_args",
    "optimizer_selectivity_sampling_limit",
    "optimizer_use_condition_selectivity",
    "progress_report_time",
    "query_cache_strip_comments",
    "query_cache_type",
    "rowid_merge_buff_size",
    "slow_query_log",
    "sql_if_exists",
    "standard_compliant_cte",
    "storage_engine",
    "system_versioning_alter_history",
    "tcp_nodelay",
    "tmp_disk_table_size",
    "tmp_memory_table_size",
    "transaction_isolation",  // since 11.1 beside tx_isolation
    "transaction_read_only",
    "tx_isolation",
    "tx_read_only",
    "use_stat_tables",
    "wsrep_sync_wait",
});

constexpr auto kMysql = std::to_array<std::string_view>({
    "block_encryption_mode",
    "cte_max_recursion_depth",
    "default_collation_for_utf8mb4",
    "default_table_encryption",
    "end_markers_in_json",
    "explain_format",
    "explain_json_format_version",
    "histogram_generation_max_mem_size",
    "information_schema_stats_expiry",
    "innodb_ddl_buffer_size",
    "innodb_ddl_threads",
    "innodb_parallel_read_threads",
    "max_execution_time",
    "max_points_in_geometry",
    "parser_max_mem_size",
    "print_identified_with_as_hex",
    "range_optimizer_max_mem_size",
    "restrict_fk_on_non_standard_key",
    "secondary_engine_cost_threshold",
    "select_into_buffer_size",
    "select_into_disk_sync",
    "select_into_disk_sync_delay",
    "set_operations_buffer_size",
    "show_create_table_skip_secondary_engine",
    "show_create_table_verbosity",
    "show_gipk_in_create_table_and_information_schema",
    "sql_generate_invisible_primary_key",
    "sql_require_primary_key",
    "terminology_use_previous",
    "transaction_isolation",
    "transaction_read_only",
    "use_secondary_engine",
    "windowing_use_high_precision",
});

consteval auto make_table() {
    WordTable<VariableKind, 200, 10> table;
    const auto carried = [&table](auto& names) {
        for (const std::string_view name : names) {
            table.add(name) = VariableKind::carried;
        }
    };
    carried(kBoth);
    carried(kMariadb);
    carried(kMysql);
    table.add("sql_mode") = VariableKind::lexing;
    table.add("character_set_client") = VariableKind::lexing;
    table.add("character_set_connection") = VariableKind::collation;
    table.add("tx_isolation") = VariableKind::isolation;
    table.add("tx_read_only") = VariableKind::isolation;
    table.add("transaction_isolation") = VariableKind::isolation;
    table.add("transaction_read_only") = VariableKind::isolation;
    table.add("sql_auto_is_null") = VariableKind::carried_as_zero;
    table.add("session_track_schema") = VariableKind::on_anyway;
    table.add("profiling") = VariableKind::profiling;
    return table;
}

constexpr auto kVariables = make_table();

}  // namespace

VariableKind variable_kind(std::string_view name) {
    const VariableKind* kind = kVariables.find(name);
    return kind == nullptr ? VariableKind::pinned : *kind;
}

std::span<const std::string_view> carried_by_both() {
    return kBoth;
}

std::span<const std::string_view> carried_by(Dialect dialect) {
    if (dialect == Dialect::mysql) {
        return kMysql;
    }
    return kMariadb;
}

}  // namespace tidegate::sql
