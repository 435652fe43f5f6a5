#include "protocol/auth/rsa.h"

#include <gtest/gtest.h>

#include "protocol/auth/testing.h"

namespace tidegate::protocol::auth {
namespace {

using namespace testing;

// One pair for all tests: making it is slow.
const RsaKeys& keys() {
    static const RsaKeys made = *RsaKeys::make();
    return made;
}

TEST(Rsa, CarriesAPasswordThere) {
    for (const std::string_view password : {"x", "tide & gate", "longer than the twenty bytes of the nonce"}) {
        const auto encrypted = rsa_encrypt(Secret(password), test_nonce(), keys().public_pem());
        ASSERT_TRUE(encrypted) << encrypted.error().message;
        EXPECT_EQ(encrypted->size(), keys().size());
        const auto plain = keys().decrypt(*encrypted, test_nonce());
        ASSERT_TRUE(plain) << plain.error().message;
        EXPECT_EQ(*plain, Secret(password));
    }
}

TEST(Rsa, RefusesWhatWasMadeForAnotherNonceOrChanged) {
    auto encrypted = *rsa_encrypt(test_password(), test_nonce(), keys().public_pem());
    Nonce other = test_nonce();
    other[0] ^= std::byte{7};
    const auto replayed = keys().decrypt(encrypted, other);
    EXPECT_TRUE(!replayed || *replayed != test_password());
    encrypted[100] ^= std::byte{1};
    EXPECT_FALSE(keys().decrypt(encrypted, test_nonce()));
    EXPECT_FALSE(keys().decrypt(Bytes(encrypted).first(255), test_nonce()));
    EXPECT_FALSE(keys().decrypt({}, test_nonce()));
}

TEST(Rsa, KeysSurviveAsPem) {
    const auto pem = keys().private_pem();
    ASSERT_TRUE(pem);
    const auto again = RsaKeys::from_pem(as_text(pem->bytes()));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->public_pem(), keys().public_pem());
    EXPECT_EQ(*again->decrypt(*rsa_encrypt(test_password(), test_nonce(), keys().public_pem()), test_nonce()),
              test_password());
}

TEST(Rsa, SaysNoToWhatIsNoKey) {
    EXPECT_FALSE(RsaKeys::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    EXPECT_FALSE(RsaKeys::from_pem(""));
    EXPECT_FALSE(rsa_encrypt(test_password(), test_nonce(), "no key at all"));
    EXPECT_FALSE(rsa_encrypt(Secret(std::string(300, 'x')), test_nonce(), keys().public_pem()));  // does not fit
}

}  // namespace
}  // namespace tidegate::protocol::auth
