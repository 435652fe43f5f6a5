#include "protocol/capabilities.h"

#include <gtest/gtest.h>

namespace tidegate::protocol {
namespace {

constexpr Capabilities kAll = ~0U;
constexpr Capabilities kMariaDb = kAll & ~capability::long_password;
constexpr Capabilities kOld = capability::protocol_41 | capability::secure_connection;  // a server of 5.0

TEST(Offered, NothingThatIsNotUnderstood) {
    const Capabilities offered = offered_to_clients(kAll, true);
    for (const Capabilities flag :
         {capability::compress, capability::zstd_compression, capability::optional_resultset_metadata,
          capability::query_attributes, capability::multi_factor_authentication,
          capability::can_handle_expired_passwords}) {
        EXPECT_EQ(offered & flag, 0U) << flag;
    }
}

TEST(Offered, TlsOnlyWithACertificate) {
    EXPECT_EQ(offered_to_clients(kAll, false) & capability::ssl, 0U);
    EXPECT_NE(offered_to_clients(kOld, true) & capability::ssl, 0U);
}

TEST(Offered, WhatChangesRepliesOnlyWhereTheServerHasIt) {
    EXPECT_EQ(offered_to_clients(kOld, false) & (capability::deprecate_eof | capability::session_track), 0U);
    EXPECT_NE(offered_to_clients(kMariaDb, false) & capability::deprecate_eof, 0U);
}

// Without LONG_PASSWORD a MariaDB client takes the reserved bytes for extended flags.
TEST(Offered, LongPasswordAlways) {
    EXPECT_NE(offered_to_clients(kMariaDb, false) & capability::long_password, 0U);
}

TEST(Asked, SharingFlagsFollowTheClients) {
    const Capabilities none = asked_of_server(kAll, 0, false, false);
    EXPECT_EQ(none & kSharingFlags, 0U);
    EXPECT_EQ(asked_of_server(kAll, kAll, false, false) & kSharingFlags, kSharingFlags);
    EXPECT_EQ(asked_of_server(kAll, capability::found_rows, false, false), none | capability::found_rows);
    EXPECT_EQ(asked_of_server(kOld, kAll, false, false) & kSharingFlags, 0U);
}

TEST(Asked, SchemaAndTls) {
    const Capabilities none = asked_of_server(kAll, 0, false, false);
    EXPECT_EQ(none & (capability::ssl | capability::connect_with_db), 0U);
    EXPECT_EQ(asked_of_server(kAll, 0, true, true), none | capability::ssl | capability::connect_with_db);
}

TEST(Asked, OfAnOldServerOnlyWhatItHas) {
    EXPECT_EQ(asked_of_server(kOld, 0, false, false), kOld | capability::long_password);
}

}  // namespace
}  // namespace tidegate::protocol
