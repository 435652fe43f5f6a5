// What must be known of a session to read its statements as its server does.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidegate::sql {

enum class Dialect : std::uint8_t { mariadb, mysql };

struct Mode {
    Dialect dialect = Dialect::mariadb;
    bool ansi_quotes = false;           // sql_mode ANSI_QUOTES: "x" is a name
    bool no_backslash_escapes = false;  // sql_mode NO_BACKSLASH_ESCAPES
    bool ignore_space = false;          // sql_mode or client flag IGNORE_SPACE: `count (` is a call of COUNT
    bool multi_statements = false;      // the client flag, or COM_SET_OPTION
    bool unsafe_multibyte = false;  // character_set_client is gbk, sjis, cp932, big5 or gb18030 (see unsafe_charset())
};

// Whether a character set has characters whose second byte may be a quote, a backslash or an @.
[[nodiscard]] bool unsafe_charset(std::string_view name);

}  // namespace tidegate::sql
