// The plug-ins' arithmetic against vectors that were computed apart from this code (Python's hashlib and the group
// arithmetic of RFC 8032 written out) or come from the servers' documentation.
#include "protocol/auth/plugins.h"

#include <gtest/gtest.h>

#include "protocol/auth/caching_sha2.h"
#include "protocol/auth/ed25519.h"
#include "protocol/auth/native.h"
#include "protocol/auth/parsec.h"
#include "protocol/auth/testing.h"

namespace tidegate::protocol::auth {
namespace {

using namespace testing;

TEST(NativePassword, AnswersAsKnown) {
    EXPECT_EQ(vec(native_response(native_stage1(test_password()), test_nonce())),
              hex("8892e09ecb8ffddeacaca826ba0aea0c9ef6d6e3"));
    // SELECT PASSWORD('password'), as every manual has it
    EXPECT_EQ(vec(native_stage2(native_stage1(Secret("password")))), hex("2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"));
}

TEST(NativePassword, VerifyingGivesStage1) {
    const Secret stage1 = native_stage1(test_password());
    auto response = native_response(stage1, test_nonce());
    const auto learnt = native_verify(response, test_nonce(), native_stage2(stage1));
    ASSERT_TRUE(learnt);
    EXPECT_EQ(*learnt, stage1);
    response[7] ^= std::byte{1};
    EXPECT_FALSE(native_verify(response, test_nonce(), native_stage2(stage1)));
    EXPECT_FALSE(native_verify(Bytes(response).first(19), test_nonce(), native_stage2(stage1)));
    EXPECT_FALSE(native_verify({}, test_nonce(), native_stage2(stage1)));
}

TEST(CachingSha2, AnswersAsKnownAndVerifies) {
    auto response = sha2_response(test_password(), test_nonce());
    EXPECT_EQ(vec(response), hex("6e2f84ec9e3e4c1cabf7f3ba7dc1c0cacadd35aca6144f97c0996e8374f7e947"));
    const Sha2Verifier verifier = sha2_verifier(test_password());
    EXPECT_TRUE(sha2_verify(response, test_nonce(), verifier));
    EXPECT_FALSE(sha2_verify(response, test_nonce(), sha2_verifier(Secret("tide & gatE"))));
    EXPECT_FALSE(sha2_verify(Bytes(response).first(31), test_nonce(), verifier));
    response[31] ^= std::byte{0x80};
    EXPECT_FALSE(sha2_verify(response, test_nonce(), verifier));
}

TEST(Ed25519, KeyAndSignatureAsKnown) {
    EXPECT_EQ(vec(ed25519_public_key(test_password())),
              hex("3fbfe57dc6bda891c4a7d64a30175f8a263e94b9095a9c6dbf5eb374f218c842"));
    EXPECT_EQ(vec(ed25519_sign(test_password(), counting(32, 0))),
              hex("288ab932e20e1259620670a6e04839785d21515ec2225731e221cc63f2b497ad"
                  "9436f76df00740fe1065a40831e02784ca088a57adffdd83daffc52b70ee170a"));
}

TEST(Ed25519, VerifiesPasswordsOfAnyLength) {
    const auto nonce = counting(ed25519_nonce_size, 9);
    for (const unsigned length : {1U, 32U, 200U}) {
        const Secret password(std::string(length, 'p'));
        auto signature = ed25519_sign(password, nonce);
        const Ed25519Key key = ed25519_public_key(password);
        EXPECT_TRUE(ed25519_verify(signature, nonce, key));
        EXPECT_FALSE(ed25519_verify(signature, counting(ed25519_nonce_size, 8), key));
        signature[40] ^= std::byte{1};
        EXPECT_FALSE(ed25519_verify(signature, nonce, key));
        EXPECT_FALSE(ed25519_verify(Bytes(signature).first(63), nonce, key));
    }
}

TEST(Parsec, AnswersAsKnown) {
    ParsecScramble own;
    std::ranges::copy(counting(32, 32), own.begin());
    std::vector<std::byte> salt{std::byte{'P'}, std::byte{0}};
    std::ranges::copy(counting(18, 100), std::back_inserter(salt));
    const auto response = parsec_response(test_password(), counting(32, 0), salt, own);
    ASSERT_TRUE(response);
    EXPECT_EQ(vec(Bytes(*response).first(32)), counting(32, 32));
    EXPECT_EQ(vec(Bytes(*response).subspan(32)),
              hex("3e799887ad215908b54e005ad7f3d2bdc212e2c9b92273ef32acfea159f81f23"
                  "6c3642cb4e969801155e28bb45e5083550f00087e76814444fecb5e6096f8b0a"));
}

TEST(Parsec, BoundsWhatTheServerAsksFor) {
    const std::vector<std::byte> expensive{std::byte{'P'}, std::byte{20}, std::byte{1}};
    EXPECT_FALSE(parsec_response(test_password(), counting(32, 0), expensive, {}));
    EXPECT_FALSE(parsec_response(test_password(), counting(32, 0), hex("5100aabb"), {}));
    EXPECT_FALSE(parsec_response(test_password(), counting(31, 0), hex("5000aabb"), {}));
}

}  // namespace
}  // namespace tidegate::protocol::auth
