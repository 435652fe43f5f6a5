#include "protocol/auth/server_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/auth/caching_sha2.h"
#include "protocol/auth/native.h"
#include "protocol/auth/testing.h"

namespace tidegate::protocol::auth {
namespace {

using namespace testing;

const std::vector<std::byte> ask_full = hex("0104");
const std::vector<std::byte> fast_ok = hex("0103");
const std::vector<std::byte> clear_password = hex("746964652026206761746500");
const Secret wrong_password("neap & gate");

const RsaKeys& keys() {
    static const RsaKeys made = *RsaKeys::make();
    return made;
}

ClientLink link_of(std::string_view greeting_plugin = caching_sha2_plugin) {
    ClientLink link;
    link.nonce = test_nonce();
    link.greeting_plugin = greeting_plugin;
    link.rsa = &keys();
    link.peer_host = "10.0.0.5";
    return link;
}
ClientLink tls() {
    ClientLink link = link_of();
    link.tls = true;
    return link;
}
ClientLink loopback() {
    ClientLink link = link_of();
    link.loopback = true;
    return link;
}

std::vector<std::byte> sha2(const Secret& password = test_password()) {
    return vec(sha2_response(password, test_nonce()));
}
std::vector<std::byte> native(const Secret& password = test_password()) {
    return vec(native_response(native_stage1(password), test_nonce()));
}

// What the book may know of an account.
AccountView unknown() {
    return {};
}
AccountView remembered(bool fresh) {
    return {.credential = password_credential(test_password().clone()), .proof_fresh = fresh};
}
AccountView configured() {
    AccountView view = remembered(true);
    view.server_decides = false;
    return view;
}
AccountView fetched(bool fresh) {
    AccountView view;
    view.hash = std::make_shared<const PasswordHash>(native_stage2(native_stage1(test_password())));
    view.proof_fresh = fresh;
    return view;
}

std::vector<std::byte> sent(const ServerAction& action) {
    const auto* send = std::get_if<SendAndRead>(&action);
    EXPECT_NE(send, nullptr) << "action " << action.index();
    return send != nullptr ? send->payload : std::vector<std::byte>{};
}
Prove prove(const ServerAction& action) {
    const auto* prove = std::get_if<Prove>(&action);
    EXPECT_NE(prove, nullptr) << "action " << action.index();
    return prove != nullptr ? *prove : Prove{};
}
Accept accepted(const ServerAction& action) {
    const auto* accept = std::get_if<Accept>(&action);
    EXPECT_NE(accept, nullptr) << "action " << action.index();
    return accept != nullptr ? *accept : Accept{};
}
Error refused(const ServerAction& action) {
    const auto* refuse = std::get_if<Refuse>(&action);
    EXPECT_NE(refuse, nullptr) << "action " << action.index();
    return refuse != nullptr ? refuse->error : Error{};
}
std::string switched_to(const ServerAction& action) {
    const auto payload = sent(action);
    if (payload.empty() || payload[0] != std::byte{0xFE}) return "";
    EXPECT_EQ(vec(Bytes(payload).last(21).first(20)), vec(test_nonce()));
    return {reinterpret_cast<const char*>(payload.data() + 1)};
}

TEST(ServerLogin, PassThroughOverTls) {
    ServerLogin login(tls());
    EXPECT_EQ(sent(login.start("u", caching_sha2_plugin, sha2(), unknown())), ask_full);
    const Prove ask = prove(login.resume(clear_password));
    EXPECT_EQ(ask.credential->bytes, test_password());
    EXPECT_FALSE(ask.remembered);
    const Accept accept = accepted(login.proved({}));
    EXPECT_TRUE(accept.before_ok.empty());
    EXPECT_TRUE(accept.proved);
    EXPECT_EQ(accept.credential, ask.credential);
}

TEST(ServerLogin, PassThroughOverRsaOnLoopback) {
    ServerLogin login(loopback());
    EXPECT_EQ(sent(login.start("u", caching_sha2_plugin, sha2(), unknown())), ask_full);
    const auto key = sent(login.resume(hex("02")));
    EXPECT_EQ(key[0], more_data);
    const auto encrypted = *rsa_encrypt(test_password(), test_nonce(), as_text(Bytes(key).subspan(1)));
    EXPECT_EQ(prove(login.resume(encrypted)).credential->bytes, test_password());

    ServerLogin has_key(loopback());
    (void)has_key.start("u", caching_sha2_plugin, sha2(), unknown());
    EXPECT_EQ(prove(has_key.resume(encrypted)).credential->bytes, test_password());

    ServerLogin careless(loopback());  // a client that sends its password as it is over a link that is not encrypted
    (void)careless.start("u", caching_sha2_plugin, sha2(), unknown());
    EXPECT_EQ(refused(careless.resume(clear_password)).code, 1045);
}

TEST(ServerLogin, OverAUnixSocketTakesBothWays) {
    ClientLink link = link_of();
    link.unix_socket = true;
    ServerLogin plain(link);
    (void)plain.start("u", caching_sha2_plugin, sha2(), unknown());
    EXPECT_EQ(prove(plain.resume(clear_password)).credential->bytes, test_password());
    ServerLogin by_key(link);  // as PHP's mysqlnd does
    (void)by_key.start("u", caching_sha2_plugin, sha2(), unknown());
    (void)sent(by_key.resume(hex("02")));
    const auto encrypted = *rsa_encrypt(test_password(), test_nonce(), keys().public_pem());
    EXPECT_EQ(prove(by_key.resume(encrypted)).credential->bytes, test_password());
}

TEST(ServerLogin, RsaStaysOffLoopbackUnlessAllowed) {
    ServerLogin login(link_of());
    const Error error = refused(login.start("u", caching_sha2_plugin, sha2(), unknown()));
    EXPECT_EQ(error.code, 1045);
    EXPECT_THAT(error.message, ::testing::StartsWith("Access denied for user 'u'@'10.0.0.5' (using password: YES)"));
    EXPECT_THAT(error.message, ::testing::HasSubstr("TLS"));
    ClientLink allowed = link_of();
    allowed.rsa_on_any_link = true;
    ServerLogin other(allowed);
    EXPECT_EQ(sent(other.start("u", caching_sha2_plugin, sha2(), unknown())), ask_full);
}

TEST(ServerLogin, RememberedAndFreshNeedsNoServer) {
    ServerLogin login(link_of());
    const Accept accept = accepted(login.start("u", caching_sha2_plugin, sha2(), remembered(true)));
    EXPECT_EQ(accept.before_ok, fast_ok);
    EXPECT_FALSE(accept.proved);
    ServerLogin by_native(link_of(native_plugin));
    EXPECT_TRUE(accepted(by_native.start("u", native_plugin, native(), remembered(true))).before_ok.empty());
}

TEST(ServerLogin, RememberedAndStaleIsProvedAgain) {
    ServerLogin login(link_of());
    const Prove ask = prove(login.start("u", caching_sha2_plugin, sha2(), remembered(false)));
    EXPECT_TRUE(ask.remembered);
    const Accept accept = accepted(login.proved({}));
    EXPECT_EQ(accept.before_ok, fast_ok);
    EXPECT_TRUE(accept.proved);
    ServerLogin changed(link_of());
    (void)changed.start("u", caching_sha2_plugin, sha2(), remembered(false));
    EXPECT_EQ(refused(changed.proved(fail(1045, "28000", "Access denied for user 'u'@'gate'"))).message.find("gate'"),
              std::string::npos);  // the server's words name the gate's address
}

TEST(ServerLogin, ADifferentPasswordIsTriedAtTheServer) {
    ServerLogin login(tls());
    EXPECT_EQ(sent(login.start("u", caching_sha2_plugin, sha2(wrong_password), remembered(true))), ask_full);
    const Prove ask = prove(login.resume(hex("6e657700")));
    EXPECT_EQ(ask.credential->bytes, Secret("new"));
    EXPECT_FALSE(ask.remembered);
}

TEST(ServerLogin, ConfiguredAccountsAreNotTriedElsewhere) {
    ServerLogin login(tls());
    EXPECT_EQ(sent(login.start("u", caching_sha2_plugin, sha2(wrong_password), configured())), ask_full);
    EXPECT_EQ(refused(login.resume(hex("6e657700"))).message,
              "Access denied for user 'u'@'10.0.0.5' (using password: YES)");
}

TEST(ServerLogin, AFetchedNativeHashGivesStage1) {
    ServerLogin login(link_of(native_plugin));
    const Prove ask = prove(login.start("u", native_plugin, native(), fetched(false)));
    EXPECT_EQ(ask.credential->kind, Credential::Kind::native_stage1);
    EXPECT_EQ(ask.credential->bytes, native_stage1(test_password()));
    EXPECT_FALSE(ask.remembered);
    EXPECT_TRUE(accepted(login.proved({})).proved);
    ServerLogin again(link_of(native_plugin));
    EXPECT_FALSE(accepted(again.start("u", native_plugin, native(), fetched(true))).proved);
}

TEST(ServerLogin, WithoutASafeWayToAskItSwitchesToNative) {
    ClientLink link = link_of();
    link.native_hashes_in_use = true;
    ServerLogin login(link);
    EXPECT_EQ(switched_to(login.start("u", caching_sha2_plugin, sha2(), fetched(true))), native_plugin);
    EXPECT_EQ(accepted(login.resume(native())).credential->kind, Credential::Kind::native_stage1);
    // and an unknown account looks the same
    ServerLogin stranger(link);
    EXPECT_EQ(switched_to(stranger.start("x", caching_sha2_plugin, sha2(), unknown())), native_plugin);
    EXPECT_EQ(refused(stranger.resume(native())).code, 1045);
}

TEST(ServerLogin, AHashIsCheckedAgainstThePasswordToo) {
    ServerLogin login(tls());
    EXPECT_EQ(sent(login.start("u", caching_sha2_plugin, sha2(), fetched(true))), ask_full);
    EXPECT_EQ(accepted(login.resume(clear_password)).credential->kind, Credential::Kind::password);
}

TEST(ServerLogin, ARememberedStage1IsUpgradedByThePassword) {
    AccountView view;
    view.credential = make_credential(Credential::Kind::native_stage1, native_stage1(test_password()));
    view.proof_fresh = true;
    ServerLogin login(tls());
    EXPECT_EQ(sent(login.start("u", caching_sha2_plugin, sha2(), view)), ask_full);
    EXPECT_EQ(accepted(login.resume(clear_password)).credential->kind, Credential::Kind::password);
}

TEST(ServerLogin, SwitchesFromPluginsItCannotCheck) {
    ServerLogin login(tls());
    EXPECT_EQ(switched_to(login.start("u", ed25519_plugin, counting(64, 1), unknown())), caching_sha2_plugin);
    EXPECT_EQ(sent(login.resume(sha2())), ask_full);
    // A MySQL 9 client that was greeted with native knows no nonce for its own plug-in yet.
    ServerLogin unanswered(link_of(native_plugin));
    EXPECT_EQ(switched_to(unanswered.start("u", caching_sha2_plugin, {}, remembered(true))), caching_sha2_plugin);
    EXPECT_EQ(accepted(unanswered.resume(sha2())).before_ok, fast_ok);
}

TEST(ServerLogin, ClearPasswordPluginOverTlsOnly) {
    ServerLogin over_tls(tls());
    EXPECT_EQ(prove(over_tls.start("u", clear_plugin, clear_password, unknown())).credential->bytes, test_password());
    ServerLogin open(loopback());
    EXPECT_EQ(switched_to(open.start("u", clear_plugin, clear_password, unknown())), caching_sha2_plugin);
}

TEST(ServerLogin, EmptyPasswordsComeFromHereOnly) {
    ServerLogin remote(tls());
    EXPECT_EQ(refused(remote.start("root", caching_sha2_plugin, hex("00"), unknown())).message,
              "Access denied for user 'root'@'10.0.0.5' (using password: NO)");
    ServerLogin local(loopback());
    EXPECT_TRUE(prove(local.start("root", caching_sha2_plugin, {}, unknown())).credential->bytes.empty());
    AccountView listed = unknown();
    listed.credential = password_credential(Secret());
    listed.server_decides = false;
    listed.empty_password_anywhere = true;
    ServerLogin allowed(tls());
    EXPECT_TRUE(prove(allowed.start("guest", caching_sha2_plugin, {}, listed)).credential->bytes.empty());
    // An empty password after being asked for one is an empty password all the same.
    ServerLogin late(tls());
    (void)late.start("root", caching_sha2_plugin, sha2(), unknown());
    EXPECT_EQ(refused(late.resume(hex("00"))).code, 1045);
}

TEST(ServerLogin, AccountsThatMatchAsLocalhostStayThere) {
    AccountView view = remembered(true);
    view.local_clients_only = true;
    ServerLogin remote(tls());
    EXPECT_EQ(refused(remote.start("root", caching_sha2_plugin, sha2(), view)).message,
              "Access denied for user 'root'@'10.0.0.5' (using password: YES)");
    ServerLogin local(loopback());
    EXPECT_FALSE(accepted(local.start("root", caching_sha2_plugin, sha2(), view)).proved);
    view.proof_fresh = false;
    ServerLogin stale(tls());
    EXPECT_EQ(refused(stale.start("root", caching_sha2_plugin, sha2(), view)).code, 1045);
}

TEST(ServerLogin, TheProofMayShowThatAnAccountIsLocal) {
    for (const bool listed : {false, true}) {
        for (const ClientLink& link : {tls(), loopback()}) {
            AccountView view = remembered(false);
            view.local_account_anywhere = listed;
            ServerLogin login(link);
            (void)prove(login.start("root", caching_sha2_plugin, sha2(), view));
            const auto action = login.proved({}, true);
            if (listed || link.loopback) {
                EXPECT_TRUE(accepted(action).proved);
            } else {
                EXPECT_EQ(refused(action), access_denied("root", "10.0.0.5", true));
            }
        }
    }
}

TEST(ServerLogin, UnknownUsersAndWrongPasswordsLookTheSame) {
    for (const auto& view : {unknown(), remembered(true), configured(), fetched(true)}) {
        for (const bool native_first : {true, false}) {
            ClientLink link = tls();
            link.greeting_plugin = native_first ? native_plugin : caching_sha2_plugin;
            ServerLogin login(link);
            auto action = native_first ? login.start("u", native_plugin, native(wrong_password), view)
                                       : login.start("u", caching_sha2_plugin, sha2(wrong_password), view);
            if (native_first) {
                EXPECT_EQ(switched_to(action), caching_sha2_plugin);
                action = login.resume(sha2(wrong_password));
            }
            EXPECT_EQ(sent(action), ask_full);
            action = login.resume(hex("776f7200"));
            if (std::holds_alternative<Prove>(action)) action = login.proved(fail(1045, "28000", "no"));
            EXPECT_EQ(refused(action), access_denied("u", "10.0.0.5", true));
        }
    }
}

TEST(ServerLogin, TheServersOtherTroublesArePassedOnAndNotCounted) {
    ServerLogin login(tls());
    (void)login.start("u", caching_sha2_plugin, sha2(), unknown());
    (void)login.resume(clear_password);
    const auto action = login.proved(fail(1040, "08004", "Too many connections"));
    EXPECT_EQ(refused(action).code, 1040);
    EXPECT_FALSE(std::get<Refuse>(action).counts);
    // MariaDB's word for a socket account is a wrong password as far as the client is concerned.
    ServerLogin socket(tls());
    (void)socket.start("u", caching_sha2_plugin, sha2(), unknown());
    (void)socket.resume(clear_password);
    EXPECT_EQ(refused(socket.proved(fail(1698, "28000", "no"))).code, 1045);
}

TEST(ServerLogin, ProvesItsCertificateAsMariaDbDoes) {
    // Recorded from MariaDB 11.8: account app/app over TLS, nonce, certificate's SHA-256 and the OK packet's text.
    ClientLink link = tls();
    link.greeting_plugin = native_plugin;
    std::ranges::copy(hex("49366f4f7a3c5a30215154354b595c447c666a61"), link.nonce.begin());
    AccountView view;
    view.credential = password_credential(Secret("app"));
    view.proof_fresh = true;
    ServerLogin login(link);
    const auto response = native_response(native_stage1(Secret("app")), link.nonce);
    (void)accepted(login.start("app", native_plugin, response, view));
    EXPECT_EQ(login.certificate_proof(hex("7108c645e70b3d540f44d2a0e4cf3a6a7c48bd1b61dc37b87253c23aa1709aa0")),
              "\x01"
              "DC3CD4AC417E9A951E2D9F37C98CD9878B006716062DD058A38B437F2B8C0BE4");

    ServerLogin other(tls());
    (void)accepted(other.start("u", caching_sha2_plugin, sha2(), remembered(true)));
    EXPECT_EQ(other.certificate_proof(counting(32, 1)), std::nullopt);
}

TEST(ServerLogin, OldClientsAreServedWhereTheyCanBe) {
    ServerLogin known(link_of(native_plugin));
    EXPECT_FALSE(accepted(known.start("u", "", native(), fetched(true))).proved);
    ServerLogin unknown_user(tls());
    EXPECT_EQ(refused(unknown_user.start("u", "", native(), unknown())).code, 1251);
}

TEST(ServerLogin, BoundsWhatAClientSends) {
    ServerLogin login(tls());
    (void)login.start("u", caching_sha2_plugin, sha2(), unknown());
    EXPECT_EQ(refused(login.resume(std::vector<std::byte>(100'000, std::byte{'x'}))).code, 1045);
    EXPECT_EQ(refused(login.resume(clear_password)).code, 1045);  // over is over
    ServerLogin garbage(loopback());
    (void)garbage.start("u", caching_sha2_plugin, counting(7, 1), unknown());
    EXPECT_EQ(refused(garbage.resume({})).code, 1045);
}

}  // namespace
}  // namespace tidegate::protocol::auth
