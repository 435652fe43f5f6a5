#include "protocol/capabilities.h"

namespace tidegate::protocol {

namespace {

using namespace capability;

// What every client is offered, whatever the server: the gate does it itself, or it costs nothing.
constexpr Capabilities kOwn =
    long_flag | protocol_41 | transactions | secure_connection | plugin_auth | connect_attrs | plugin_auth_lenenc_data;

// What a client is offered where the server can do it.
constexpr Capabilities kOfTheServer = long_password | found_rows | connect_with_db | no_schema | odbc | local_files |
                                      ignore_space | interactive | ignore_sigpipe | multi_statements | multi_results |
                                      ps_multi_results | session_track | deprecate_eof | extended_metadata;

// What the gate asks for on every server connection. LONG_PASSWORD is not a server's to grant: to MariaDB it says that
// no extended flags follow.
constexpr Capabilities kAlwaysAsked = long_password | protocol_41 | secure_connection;
constexpr Capabilities kAskedWhereOffered = long_flag | transactions | multi_results | ps_multi_results | plugin_auth |
                                            connect_attrs | plugin_auth_lenenc_data | session_track | deprecate_eof;

}  // namespace

Capabilities offered_to_clients(Capabilities of_server, bool tls) {
    return kOwn | (of_server & kOfTheServer) | (tls ? ssl : 0U);
}

Capabilities asked_of_server(Capabilities of_server, Capabilities sharing, bool tls, bool with_schema) {
    const Capabilities asked = kAlwaysAsked | (of_server & (kAskedWhereOffered | (sharing & kSharingFlags))) |
                               (tls ? ssl : 0U) | (with_schema ? connect_with_db : 0U);
    return (asked & extended_metadata) != 0 ? asked & ~long_password : asked;
}

}  // namespace tidegate::protocol
