#include "protocol/capabilities.h"

#include <gtest/gtest.h>

namespace tidegate::protocol {
namespace {

constexpr Capabilities kAll = ~Capabilities{0};
constexpr Capabilities kMariaDb = kAll & ~capability::long_password;
constexpr Capabilities kOld = capability::protocol_41 | capability::secure_connection;  // a server of 5.0

TEST(Offered, NothingThatIsNotUnderstood) {
    const Capabilities offered = offered_to_clients(kAll, true);
    for (const Capabilities flag :
         {capability::compress, capability::zstd_compression, capability::optional_resultset_metadata,
          capability::query_attributes, capability::multi_factor_authentication,
          capability::can_handle_expired_passwords, Capabilities{1} << 32 /* progress */,
          Capabilities{1} << 34 /* bulk */, Capabilities{1} << 36 /* cached metadata */}) {
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
TEST(Offered, LongPasswordAsTheServerHasIt) {
    EXPECT_EQ(offered_to_clients(kMariaDb, false) & capability::long_password, 0U);
    EXPECT_NE(offered_to_clients(kAll, false) & capability::long_password, 0U);
}

TEST(Offered, ExtendedMetadataWhereTheServerHasIt) {
    EXPECT_NE(offered_to_clients(kMariaDb, false) & capability::extended_metadata, 0U);
    EXPECT_EQ(offered_to_clients(kMariaDb & ~capability::extended_metadata, false) & capability::extended_metadata, 0U);
}

// To a server LONG_PASSWORD says that no extended flags follow: it is left out where one is asked for.
TEST(Asked, ExtendedMetadataForThoseWhoHaveIt) {
    const Capabilities without = asked_of_server(kMariaDb, 0, false, false);
    EXPECT_NE(without & capability::long_password, 0U);
    EXPECT_EQ(without & capability::extended_metadata, 0U);
    const Capabilities with = asked_of_server(kMariaDb, capability::extended_metadata, false, false);
    EXPECT_EQ(with, (without & ~capability::long_password) | capability::extended_metadata);
    EXPECT_EQ(asked_of_server(kOld, capability::extended_metadata, false, false), kOld | capability::long_password);
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
