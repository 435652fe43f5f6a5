#include "sql/words.h"

#include "sql/word_table.h"

namespace tidegate::sql {
namespace {

// Native functions of MySQL 9.7 and MariaDB 11.8 that leave nothing behind in the session. A name that only one of them
// has is left out of the common list, since on the other it may be anybody's stored function. An older server than
// those may lack some; a routine that stands in for one is taken to do what it does.
// A star: only with the parenthesis at once behind. A tilde: not for a plain read.
constexpr std::string_view kBothFunctions =
    "abs acos adddate* addtime aes_decrypt aes_encrypt ascii asin atan atan2 avg benchmark bin binary bit_and* "
    "bit_count "
    "bit_length bit_or* bit_xor* cast* ceil ceiling char char_length character character_length charset coalesce "
    "coercibility collation compress concat concat_ws connection_id conv convert convert_tz cos cot count* crc32 "
    "cume_dist "
    "curdate* current_date current_role current_time current_timestamp current_user curtime* database date date_add* "
    "date_format date_sub* datediff day dayname dayofmonth dayofweek dayofyear default degrees dense_rank elt exp "
    "export_set extract* extractvalue field find_in_set first_value floor format found_rows from_base64 from_days "
    "from_unixtime get_format greatest group_concat* hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa "
    "insert "
    "instr interval is_free_lock~ is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_used_lock~ isnull json_array "
    "json_array_append json_array_insert json_arrayagg json_contains json_contains_path json_depth json_extract "
    "json_insert json_keys json_length json_merge json_merge_patch json_merge_preserve json_object json_objectagg "
    "json_overlaps json_pretty json_quote json_remove json_replace json_schema_valid json_search json_set json_table "
    "json_type json_unquote json_valid json_value lag last_day last_insert_id last_value lcase lead least left length "
    "ln "
    "load_file localtime localtimestamp locate log log10 log2 lower lpad ltrim make_set makedate maketime "
    "master_pos_wait~ max* md5 microsecond mid* min* minute mod month monthname name_const now* nth_value ntile nullif "
    "oct "
    "octet_length ord percent_rank period_add period_diff pi position* pow power quarter quote radians rand "
    "random_bytes "
    "rank regexp_instr regexp_replace regexp_substr repeat replace reverse right round row row_count row_number rpad "
    "rtrim "
    "schema sec_to_time second session_user* sha sha1 sha2 sign sin sleep soundex space sqrt std* stddev* stddev_pop* "
    "stddev_samp* str_to_date strcmp subdate* substr* substring* substring_index subtime sum* sysdate* system_user* "
    "tan "
    "time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_days to_seconds trim* "
    "truncate ucase uncompress uncompressed_length unhex unix_timestamp updatexml upper user utc_date utc_time "
    "utc_timestamp uuid uuid_short values var_pop* var_samp* variance* version week weekday weekofyear weight_string "
    "year "
    "yearweek "
    // geometry
    "geometrycollection linestring mbrcontains mbrdisjoint mbrequals mbrintersects mbroverlaps mbrtouches mbrwithin "
    "multilinestring multipoint multipolygon point polygon st_area st_asbinary st_asgeojson st_astext st_aswkb "
    "st_aswkt "
    "st_buffer st_centroid st_contains st_convexhull st_crosses st_difference st_dimension st_disjoint st_distance "
    "st_distance_sphere st_endpoint st_envelope st_equals st_exteriorring st_geomcollfromtext st_geomcollfromwkb "
    "st_geometrycollectionfromtext st_geometrycollectionfromwkb st_geometryfromtext st_geometryfromwkb st_geometryn "
    "st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb st_interiorringn st_intersection st_intersects "
    "st_isclosed st_isempty st_issimple st_length st_linefromtext st_linefromwkb st_linestringfromtext "
    "st_linestringfromwkb st_numgeometries st_numinteriorrings st_numpoints st_overlaps st_pointfromtext "
    "st_pointfromwkb "
    "st_pointn st_polyfromtext st_polyfromwkb st_polygonfromtext st_polygonfromwkb st_srid st_startpoint "
    "st_symdifference "
    "st_touches st_union st_within st_x st_y";

constexpr std::string_view kMariadbFunctions =
    "add_months binlog_gtid_pos chr column_add column_check column_create column_delete column_exists column_get "
    "column_json column_list concat_operator_oracle crc32c decode decode_histogram decode_oracle des_decrypt "
    "des_encrypt "
    "encode encrypt format_bytes format_pico_time json_array_intersect json_compact json_detailed json_equals "
    "json_exists "
    "json_key_value json_loose json_normalize json_object_filter_keys json_object_to_array json_query kdf lengthb "
    "lpad_oracle ltrim_oracle master_gtid_wait~ median natural_sort_key nvl nvl2 old_password password percentile_cont "
    "percentile_disc replace_oracle rownum rpad_oracle rtrim_oracle sformat substr_oracle sys_guid to_char "
    "trim_oracle* "
    "uuid_v4 uuid_v7 value vec_distance vec_distance_cosine vec_distance_euclidean vec_fromtext vec_totext "
    "asbinary astext aswkb aswkt centroid dimension endpoint envelope exteriorring geometryn geometrytype geomfromtext "
    "geomfromwkb glength interiorringn intersects isclosed isempty issimple linefromtext linefromwkb numgeometries "
    "numpoints pointfromtext pointfromwkb pointn polyfromtext polyfromwkb srid st_boundary st_isring st_pointonsurface "
    "st_relate startpoint";

// of: MEMBER OF(. lateral: LATERAL (SELECT ..).
constexpr std::string_view kMysqlFunctions =
    "any_value bin_to_uuid format_bytes format_pico_time geomcollection grouping gtid_subset gtid_subtract icu_version "
    "is_uuid json_schema_validation_report json_storage_free json_storage_size lateral mbrcoveredby mbrcovers of "
    "ps_current_thread_id ps_thread_id regexp_like roles_graphml source_pos_wait~ st_buffer_strategy st_collect "
    "st_frechetdistance st_geohash st_hausdorffdistance st_isvalid st_latfromgeohash st_latitude "
    "st_lineinterpolatepoint "
    "st_lineinterpolatepoints st_longfromgeohash st_longitude st_makeenvelope st_mlinefromtext st_mlinefromwkb "
    "st_mpointfromtext st_mpointfromwkb st_mpolyfromtext st_mpolyfromwkb st_multilinestringfromtext "
    "st_multilinestringfromwkb st_multipointfromtext st_multipointfromwkb st_multipolygonfromtext "
    "st_multipolygonfromwkb st_numinteriorring st_pointatdistance st_pointfromgeohash st_simplify st_swapxy "
    "st_transform "
    "st_validate statement_digest statement_digest_text string_to_vector to_vector from_vector uuid_to_bin "
    "validate_password_strength vector_dim vector_to_string wait_for_executed_gtid_set~";

// Keywords that no stored function can be called by without quotes (MariaDB refuses `SELECT word(1)` as an error of
// syntax; MySQL lets no keyword name a function), and that are found in front of a parenthesis.
constexpr std::string_view kNoCall =
    "all and any as asc between bigint bit blob bool boolean both by case check collate cross datetime dec decimal "
    "desc "
    "distinct distinctrow div double dual else elseif enum except exists explain false fixed float for force from "
    "fulltext "
    "group having high_priority if ignore in index inner int integer intersect into is join key keys leading left like "
    "limit lines longblob longtext low_priority match mediumblob mediumint mediumtext national natural nchar not null "
    "numeric on or order outer over partition precision primary range real recursive references regexp returning right "
    "rlike rows select separator serial set signed smallint some sql_big_result sql_buffer_result sql_calc_found_rows "
    "sql_no_cache sql_small_result straight_join table text then tinyblob tinyint tinytext to trailing true union "
    "unique "
    "unsigned update use using value varbinary varchar varcharacter when where while window with xor";

consteval auto make_table() {
    WordTable<WordInfo, 900, 12> table;
    std::uint8_t id = 0;
#define TIDEGATE_SQL_WORD(spelling) table.add(#spelling).word = static_cast<Word>(++id);
    TIDEGATE_SQL_WORDS(TIDEGATE_SQL_WORD)
#undef TIDEGATE_SQL_WORD
    const auto functions = [&table](std::string_view list, bool mariadb, bool mysql) {
        for_each_word(list, [&](std::string_view word) {
            const char mark = word.back();
            WordInfo& info = table.add(word.substr(0, word.find_first_of("*~")));
            info.mariadb_function |= mariadb;
            info.mysql_function |= mysql;
            info.tight = mark == '*';
            info.waits = mark == '~';
        });
    };
    functions(kBothFunctions, true, true);
    functions(kMariadbFunctions, true, false);
    functions(kMysqlFunctions, false, true);
    for_each_word(kNoCall, [&table](std::string_view word) { table.add(word).no_call = true; });
    return table;
}

constexpr auto kWords = make_table();

}  // namespace

const WordInfo* find_word(std::string_view word) {
    return kWords.find(word);
}

}  // namespace tidegate::sql
