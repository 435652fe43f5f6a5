#include "protocol/auth/password_hash.h"

#include <gtest/gtest.h>

#include "protocol/auth/testing.h"

namespace tidegate::protocol::auth {
namespace {

using namespace testing;

bool fits(std::string_view hash, std::string_view password) {
    const auto parsed = parse_password_hash(hash);
    EXPECT_TRUE(parsed) << hash;
    return parsed && matches(*parsed, Secret(password));
}

TEST(PasswordHash, TakesNativeHashes) {
    EXPECT_TRUE(fits("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "password"));
    EXPECT_TRUE(fits("*2470c0c06dee42fd1618bb99005adca2ec9d1e19", "password"));
    EXPECT_FALSE(fits("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "Password"));
}

TEST(PasswordHash, TakesMariaDbEd25519Keys) {
    // CREATE USER .. IDENTIFIED VIA ed25519 USING PASSWORD('secret'), from MariaDB's documentation
    EXPECT_TRUE(fits("ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY", "secret"));
    EXPECT_FALSE(fits("ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY", "secreT"));
}

TEST(PasswordHash, ShaCryptAsPublished) {
    // From the specification "Unix crypt using SHA-256 and SHA-512"
    EXPECT_EQ(sha256_crypt(Secret("Hello world!"), "saltstring", 5000), "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5");
    EXPECT_EQ(sha256_crypt(Secret("Hello world!"), "saltstringsaltst", 10000),
              "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA");
}

TEST(PasswordHash, TakesWhatMySqlStores) {
    // SHOW CREATE USER of MySQL 9.7 with print_identified_with_as_hex; the salt has control characters.
    const std::string_view hash =
        "0x244124303041240111257D7B5A551F4A195122030F693C223F7A21735A54447365645569614E594350416E5466"
        "364639316D77363746456B35494870797A55756C6B50547334";
    EXPECT_TRUE(fits(hash, "tide & gate"));
    EXPECT_FALSE(fits(hash, "tide & gates"));
}

TEST(PasswordHash, RefusesWhatIsNone) {
    for (const std::string_view text :
         {"", "*", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E1", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E1G",
          "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJ!", "$A$005$short", "0x", "0x1", "invalid",
          "*THISISNOTAVALIDPASSWORDTHATCANBEUSEDHERE",
          "$A$000$aaaaaaaaaaaaaaaaaaaa0123456789012345678901234567890123456789012"}) {
        EXPECT_FALSE(parse_password_hash(text)) << text;
    }
}

TEST(PasswordHash, NoHashIsTheEmptyPasswords) {
    // SHA1(SHA1('')): a server would have an empty string there, so such a hash admits nobody.
    EXPECT_FALSE(fits("*BE1BDEC0AA74B4DCB079943E70528096CCA985F8", ""));
}

}  // namespace
}  // namespace tidegate::protocol::auth
