// Client capability flags of the MySQL protocol, and what the gate offers and asks for.
// Source: "Capabilities Flags" of the MySQL source documentation and MariaDB's "Connection" protocol page.
#pragma once

#include <cstdint>

namespace tidegate::protocol {

// MariaDB's own flags are the upper half: on the wire they stand in what others leave reserved, and only where
// LONG_PASSWORD is clear.
using Capabilities = std::uint64_t;

namespace capability {
inline constexpr Capabilities long_password = 1U
                                              << 0;  // MariaDB calls it CLIENT_MYSQL: clear means extended flags follow
inline constexpr Capabilities found_rows = 1U << 1;
inline constexpr Capabilities long_flag = 1U << 2;
inline constexpr Capabilities connect_with_db = 1U << 3;
inline constexpr Capabilities no_schema = 1U << 4;
inline constexpr Capabilities compress = 1U << 5;
inline constexpr Capabilities odbc = 1U << 6;
inline constexpr Capabilities local_files = 1U << 7;
inline constexpr Capabilities ignore_space = 1U << 8;
inline constexpr Capabilities protocol_41 = 1U << 9;
inline constexpr Capabilities interactive = 1U << 10;
inline constexpr Capabilities ssl = 1U << 11;
inline constexpr Capabilities ignore_sigpipe = 1U << 12;
inline constexpr Capabilities transactions = 1U << 13;
inline constexpr Capabilities reserved = 1U << 14;
inline constexpr Capabilities secure_connection = 1U << 15;
inline constexpr Capabilities multi_statements = 1U << 16;
inline constexpr Capabilities multi_results = 1U << 17;
inline constexpr Capabilities ps_multi_results = 1U << 18;
inline constexpr Capabilities plugin_auth = 1U << 19;
inline constexpr Capabilities connect_attrs = 1U << 20;
inline constexpr Capabilities plugin_auth_lenenc_data = 1U << 21;
inline constexpr Capabilities can_handle_expired_passwords = 1U << 22;
inline constexpr Capabilities session_track = 1U << 23;
inline constexpr Capabilities deprecate_eof = 1U << 24;
inline constexpr Capabilities optional_resultset_metadata = 1U << 25;
inline constexpr Capabilities zstd_compression = 1U << 26;
inline constexpr Capabilities query_attributes = 1U << 27;
inline constexpr Capabilities multi_factor_authentication = 1U << 28;
inline constexpr Capabilities ssl_verify_server_cert = 1U << 30;
inline constexpr Capabilities remember_options = 1U << 31;
// MariaDB: definitions of columns and parameters name the type beyond its number (json, uuid, point, ..).
inline constexpr Capabilities extended_metadata = Capabilities{1} << 35;
}  // namespace capability

// What the gate offers its clients, of what the server behind it can do. No compression (clients fall back), no
// optional or cached metadata, query attributes or bulk execution: they change what packets look like and are not
// understood yet. LONG_PASSWORD is as the server has it, since where it is clear MariaDB's clients look for more flags.
[[nodiscard]] Capabilities offered_to_clients(Capabilities of_server, bool tls);

// The flags that change what a statement means or how its reply looks and that nothing can change later: two clients
// that differ in one of them cannot share a server connection. (MULTI_STATEMENTS can be changed, by COM_SET_OPTION;
// IGNORE_SPACE is a part of sql_mode from the login on.)
inline constexpr Capabilities kSharingFlags = capability::found_rows | capability::no_schema | capability::local_files |
                                              capability::interactive | capability::extended_metadata;

// What the gate asks a server for when it opens a connection for clients whose kSharingFlags are `sharing`.
[[nodiscard]] Capabilities asked_of_server(Capabilities of_server, Capabilities sharing, bool tls, bool with_schema);

}  // namespace tidegate::protocol
