#include "protocol/auth/client_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/auth/caching_sha2.h"
#include "protocol/auth/ed25519.h"
#include "protocol/auth/native.h"
#include "protocol/auth/rsa.h"
#include "protocol/auth/testing.h"

namespace tidegate::protocol::auth {
namespace {

using namespace testing;

constexpr ServerLink plain_tcp{};
constexpr ServerLink over_tls{.tls = true};
constexpr ServerLink over_socket{.unix_socket = true};

const std::vector<std::byte> ok_packet = hex("00000002000000");

CredentialPtr password() {
    return password_credential(test_password().clone());
}
CredentialPtr stage1() {
    return make_credential(Credential::Kind::native_stage1, native_stage1(test_password()));
}

std::vector<std::byte> switch_packet(std::string_view plugin, Bytes nonce) {
    std::vector<std::byte> out{std::byte{0xFE}};
    std::ranges::copy(as_bytes(plugin), std::back_inserter(out));
    out.push_back(std::byte{0});
    std::ranges::copy(nonce, std::back_inserter(out));
    out.push_back(std::byte{0});
    return out;
}

std::vector<std::byte> sent(const ClientAction& action) {
    const auto* send = std::get_if<Send>(&action);
    EXPECT_NE(send, nullptr);
    return send != nullptr ? send->payload : std::vector<std::byte>{};
}

std::string failure(const ClientAction& action) {
    const auto* failed = std::get_if<Failed>(&action);
    EXPECT_NE(failed, nullptr);
    return failed != nullptr ? failed->error.message : "";
}

bool done(const ClientAction& action) {
    return std::holds_alternative<Done>(action);
}

struct Login : ClientLogin {
    Login(CredentialPtr credential, ServerLink link, std::string_view plugin)
        : ClientLogin(std::move(credential), link, ParsecScramble{}) {
        auto nonce = vec(test_nonce());
        nonce.push_back(std::byte{0});
        start(plugin, nonce);
    }
};

TEST(ClientLogin, NativeAtOnce) {
    Login login(password(), plain_tcp, native_plugin);
    EXPECT_EQ(login.plugin(), native_plugin);
    EXPECT_EQ(vec(login.response()), vec(native_response(native_stage1(test_password()), test_nonce())));
    EXPECT_TRUE(done(login.feed(ok_packet)));
    EXPECT_TRUE(login.password_was_used());
}

TEST(ClientLogin, Stage1SufficesForNativeAndForNothingElse) {
    Login login(stage1(), plain_tcp, caching_sha2_plugin);
    EXPECT_EQ(login.plugin(), native_plugin);
    const auto again = sent(login.feed(switch_packet(native_plugin, counting(20, 50))));
    EXPECT_EQ(again, vec(native_response(native_stage1(test_password()), counting(20, 50))));
    EXPECT_TRUE(done(login.feed(ok_packet)));
    Login sha2(stage1(), over_tls, native_plugin);
    EXPECT_THAT(failure(sha2.feed(switch_packet(caching_sha2_plugin, test_nonce()))),
                ::testing::HasSubstr("only a hash"));
}

TEST(ClientLogin, Sha2FastPath) {
    Login login(password(), plain_tcp, caching_sha2_plugin);
    EXPECT_EQ(vec(login.response()), vec(sha2_response(test_password(), test_nonce())));
    EXPECT_TRUE(std::holds_alternative<ReadNext>(login.feed(hex("0103"))));
    EXPECT_TRUE(done(login.feed(ok_packet)));
    EXPECT_TRUE(login.password_was_used());
}

TEST(ClientLogin, Sha2FullOverTlsSendsThePasswordAsItIs) {
    Login login(password(), over_tls, caching_sha2_plugin);
    EXPECT_EQ(sent(login.feed(hex("0104"))), hex("746964652026206761746500"));
    EXPECT_TRUE(done(login.feed(ok_packet)));
}

TEST(ClientLogin, Sha2FullOverPlainTcpEncrypts) {
    const RsaKeys keys = *RsaKeys::make();
    Login login(password(), plain_tcp, caching_sha2_plugin);
    EXPECT_EQ(sent(login.feed(hex("0104"))), hex("02"));
    std::vector<std::byte> key = hex("01");
    std::ranges::copy(as_bytes(keys.public_pem()), std::back_inserter(key));
    const auto encrypted = sent(login.feed(key));
    EXPECT_EQ(*keys.decrypt(encrypted, test_nonce()), test_password());
    EXPECT_TRUE(done(login.feed(ok_packet)));

    Login strict(password(), ServerLink{.rsa_allowed = false}, caching_sha2_plugin);
    EXPECT_THAT(failure(strict.feed(hex("0104"))), ::testing::HasSubstr("TLS"));
    Login fooled(password(), plain_tcp, caching_sha2_plugin);
    (void)fooled.feed(hex("0104"));
    EXPECT_THAT(failure(fooled.feed(hex("01616263"))), ::testing::HasSubstr("no usable RSA key"));
}

TEST(ClientLogin, Sha256PasswordLikewise) {
    Login tls(password(), over_tls, native_plugin);
    EXPECT_EQ(sent(tls.feed(switch_packet(sha256_plugin, test_nonce()))), hex("746964652026206761746500"));
    Login plain(password(), plain_tcp, native_plugin);
    EXPECT_EQ(sent(plain.feed(switch_packet(sha256_plugin, test_nonce()))), hex("01"));
}

TEST(ClientLogin, Ed25519AndParsecBySwitch) {
    Login ed(password(), plain_tcp, native_plugin);
    const auto signature = sent(ed.feed(switch_packet(ed25519_plugin, counting(32, 1))));
    EXPECT_TRUE(ed25519_verify(signature, counting(32, 1), ed25519_public_key(test_password())));
    EXPECT_TRUE(done(ed.feed(ok_packet)));

    Login parsec(password(), plain_tcp, native_plugin);
    EXPECT_EQ(sent(parsec.feed(switch_packet(parsec_plugin, counting(32, 1)))), std::vector<std::byte>{});
    EXPECT_EQ(sent(parsec.feed(hex("5000000102030405060708090a0b0c0d0e0f1011"))).size(), 96u);
    EXPECT_TRUE(done(parsec.feed(ok_packet)));
}

TEST(ClientLogin, ClearPasswordOverTlsOnly) {
    Login open(password(), plain_tcp, native_plugin);
    EXPECT_THAT(failure(open.feed(switch_packet(clear_plugin, {}))), ::testing::HasSubstr("TLS"));
    Login tls(password(), over_tls, native_plugin);
    EXPECT_EQ(sent(tls.feed(switch_packet(clear_plugin, {}))), hex("746964652026206761746500"));
}

TEST(ClientLogin, RefusesPluginsThatProveNothing) {
    for (const std::string_view plugin :
         {"auth_socket", "unix_socket", "auth_gssapi_client", "dialog", "mysql_old_password"}) {
        Login login(password(), over_tls, native_plugin);
        EXPECT_THAT(failure(login.feed(switch_packet(plugin, test_nonce()))), ::testing::HasSubstr(plugin));
        EXPECT_FALSE(login.password_was_used());
    }
    Login old(password(), over_tls, native_plugin);
    EXPECT_THAT(failure(old.feed(hex("fe"))), ::testing::HasSubstr("mysql_old_password"));
}

TEST(ClientLogin, HandsBackTheServersError) {
    Login login(password(), plain_tcp, native_plugin);
    const auto action = login.feed(hex("ff1504233238303030446f6e2774"));
    const auto* failed = std::get_if<Failed>(&action);
    ASSERT_NE(failed, nullptr);
    EXPECT_TRUE(failed->from_server);
    EXPECT_EQ(failed->error, (Error{.code = 1045, .sqlstate = "28000", .message = "Don't"}));
    // Too many connections comes before the capabilities are known, without a state.
    EXPECT_EQ(parse_error_packet(hex("ff1004546f6f")), (Error{.code = 1040, .sqlstate = "HY000", .message = "Too"}));
    EXPECT_EQ(parse_error_packet(hex("ff10")).code, 2027);
}

TEST(ClientLogin, AnEmptyPasswordHasItsOwnSpelling) {
    Login native(password_credential(Secret()), plain_tcp, native_plugin);
    EXPECT_TRUE(native.response().empty());
    EXPECT_EQ(sent(native.feed(switch_packet(native_plugin, test_nonce()))), std::vector<std::byte>{});
    EXPECT_EQ(sent(native.feed(switch_packet(caching_sha2_plugin, test_nonce()))), hex("00"));
    EXPECT_TRUE(done(native.feed(ok_packet)));
}

TEST(ClientLogin, OverAUnixSocketOnlyTheFastPathProves) {
    Login maybe(password(), over_socket, native_plugin);
    EXPECT_TRUE(done(maybe.feed(ok_packet)));  // as auth_socket answers, whatever the password
    EXPECT_FALSE(maybe.password_was_used());
    Login full(password(), over_socket, caching_sha2_plugin);
    EXPECT_EQ(sent(full.feed(hex("0104"))), hex("746964652026206761746500"));
    EXPECT_TRUE(done(full.feed(ok_packet)));
    EXPECT_FALSE(full.password_was_used());
    Login fast(password(), over_socket, caching_sha2_plugin);
    (void)fast.feed(hex("0103"));
    EXPECT_TRUE(done(fast.feed(ok_packet)));
    EXPECT_TRUE(fast.password_was_used());
    // fast-ok for one plug-in is no proof for the next
    Login moved(password(), over_socket, caching_sha2_plugin);
    (void)moved.feed(hex("0103"));
    (void)moved.feed(switch_packet(native_plugin, test_nonce()));
    EXPECT_TRUE(done(moved.feed(ok_packet)));
    EXPECT_FALSE(moved.password_was_used());
}

TEST(ClientLogin, SurvivesAServerThatPlaysGames) {
    Login empty(password(), plain_tcp, native_plugin);
    EXPECT_THAT(failure(empty.feed({})), ::testing::HasSubstr("empty"));
    Login endless(password(), plain_tcp, native_plugin);
    for (int i = 0; i < 8; ++i) EXPECT_FALSE(sent(endless.feed(switch_packet(native_plugin, test_nonce()))).empty());
    EXPECT_THAT(failure(endless.feed(switch_packet(native_plugin, test_nonce()))), ::testing::HasSubstr("end"));
    Login unterminated(password(), plain_tcp, native_plugin);
    EXPECT_THAT(failure(unterminated.feed(hex("fe6162"))), ::testing::HasSubstr("malformed"));
    Login short_nonce(password(), plain_tcp, native_plugin);
    EXPECT_THAT(failure(short_nonce.feed(switch_packet(native_plugin, counting(5, 1)))),
                ::testing::HasSubstr("length"));
    Login unasked(password(), over_tls, native_plugin);
    EXPECT_THAT(failure(unasked.feed(hex("0104"))), ::testing::HasSubstr("unknown data"));
}

}  // namespace
}  // namespace tidegate::protocol::auth
