#include "proxy/accounts.h"

#include <gtest/gtest.h>

namespace tidegate::proxy {
namespace {

namespace auth = protocol::auth;

constexpr TimePoint start{1h};

auth::CredentialPtr password(std::string_view text) {
    return auth::password_credential(Secret(text));
}
auth::CredentialPtr stage1(std::string_view text) {
    return auth::make_credential(auth::Credential::Kind::native_stage1, auth::native_stage1(Secret(text)));
}
std::string native_hash(std::string_view text) {
    std::string out = "*";
    for (const std::byte b : auth::native_stage2(auth::native_stage1(Secret(text)))) {
        out += "0123456789ABCDEF"[std::to_integer<unsigned>(b) >> 4];
        out += "0123456789ABCDEF"[std::to_integer<unsigned>(b) & 15];
    }
    return out;
}
FetchedAccount native_row(std::string user, std::string host, std::string_view pass) {
    return {std::move(user), std::move(host), "mysql_native_password", native_hash(pass)};
}

TEST(AccountBook, KnowsNothingOfStrangersAndLetsTheServerDecide) {
    const AccountBook book;
    const auto view = book.view("nobody", start);
    EXPECT_EQ(view.credential, nullptr);
    EXPECT_EQ(view.hash, nullptr);
    EXPECT_TRUE(view.server_decides);
    EXPECT_FALSE(AccountBook(AccountRules{.pass_through = false}).view("nobody", start).server_decides);
}

TEST(AccountBook, ProofsExpire) {
    AccountBook book;
    book.remember("u", password("p"), true, start);
    EXPECT_TRUE(book.view("u", start + 59s).proof_fresh);
    EXPECT_TRUE(book.is_proved("u", *password("p"), start + 59s));
    EXPECT_TRUE(book.is_proved("u", *stage1("p"), start + 59s));
    EXPECT_FALSE(book.is_proved("u", *password("q"), start + 59s));
    EXPECT_FALSE(book.view("u", start + 60s).proof_fresh);
    EXPECT_NE(book.view("u", start + 60s).credential, nullptr);  // the password stays: it may be proved again
    book.remember("u", password("p"), false, start + 60s);       // to get in without a proof is no proof
    EXPECT_FALSE(book.view("u", start + 60s).proof_fresh);
}

TEST(AccountBook, ANewGenerationVoidsEveryProof) {
    AccountBook book;
    book.remember("u", password("p"), true, start);
    book.new_generation();
    EXPECT_FALSE(book.view("u", start).proof_fresh);
    book.remember("u", password("p"), true, start + 1s);
    EXPECT_TRUE(book.view("u", start + 1s).proof_fresh);
}

TEST(AccountBook, ForgetsWhatTheServerRefuses) {
    AccountBook book;
    book.remember("u", password("new"), true, start);
    book.refused("u", *password("old"));  // somebody who came with the old one
    EXPECT_NE(book.credential("u"), nullptr);
    book.refused("u", *stage1("new"));
    EXPECT_EQ(book.credential("u"), nullptr);
    book.remember("u", password("new"), true, start);
    book.forget("u");
    EXPECT_EQ(book.view("u", start).credential, nullptr);
}

TEST(AccountBook, APasswordIsNotReplacedByItsStage1) {
    AccountBook book;
    book.remember("u", stage1("p"), true, start);
    EXPECT_EQ(book.credential("u")->kind, auth::Credential::Kind::native_stage1);
    book.remember("u", password("p"), false, start);
    EXPECT_EQ(book.credential("u")->kind, auth::Credential::Kind::password);
    EXPECT_TRUE(book.view("u", start).proof_fresh);  // the same password, so the same proof
    book.remember("u", stage1("p"), true, start);
    EXPECT_EQ(book.credential("u")->kind, auth::Credential::Kind::password);
    book.remember("u", stage1("q"), true, start);
    EXPECT_EQ(book.credential("u")->kind, auth::Credential::Kind::native_stage1);
}

TEST(AccountBook, TheConfigurationGoesFirst) {
    AccountBook book;
    book.set_fetched({native_row("u", "%", "server")}, false);
    book.set_configured({{.name = "other", .password = password("x"), .hash = nullptr},
                         {.name = "u", .password = password("mine"), .hash = nullptr}});
    const auto view = book.view("u", start);
    EXPECT_EQ(*view.credential, *password("mine"));
    EXPECT_EQ(view.hash, nullptr);
    EXPECT_FALSE(view.server_decides);
    EXPECT_TRUE(view.empty_password_anywhere);
    EXPECT_EQ(book.configured_index("u"), 1u);
    EXPECT_EQ(book.configured_index("v"), std::nullopt);
}

TEST(AccountBook, AReloadForgetsWhatWasLearntUnderOtherRules) {
    AccountBook book;
    const auto hash = std::make_shared<const auth::PasswordHash>(*auth::parse_password_hash(native_hash("one")));
    const auto other = std::make_shared<const auth::PasswordHash>(*auth::parse_password_hash(native_hash("two")));
    book.set_configured({{.name = "u", .password = nullptr, .hash = hash}});
    book.remember("u", password("one"), true, start);
    book.set_configured({{.name = "u", .password = nullptr, .hash = hash}});
    EXPECT_NE(book.credential("u"), nullptr);
    book.set_configured({{.name = "u", .password = nullptr, .hash = other}});
    EXPECT_EQ(book.credential("u"), nullptr);
    EXPECT_TRUE(book.native_hashes_in_use());
    book.remember("u", password("two"), true, start);
    book.set_configured({});
    EXPECT_EQ(book.credential("u"), nullptr);
    EXPECT_FALSE(book.native_hashes_in_use());
}

TEST(AccountBook, FetchedHashesAreReplacedAsAWhole) {
    AccountBook book;
    book.set_fetched({native_row("a", "%", "pa"),
                      native_row("b", "%", "pb"),
                      {"c", "%", "ed25519", "x"},
                      {"d", "%", "mysql_native_password", "invalid"}},
                     false);
    EXPECT_TRUE(book.native_hashes_in_use());
    ASSERT_NE(book.view("a", start).hash, nullptr);
    EXPECT_TRUE(matches(*book.view("a", start).hash, Secret("pa")));
    EXPECT_EQ(book.view("c", start).hash, nullptr);
    EXPECT_EQ(book.view("d", start).hash, nullptr);
    book.remember("a", stage1("pa"), true, start);
    book.remember("b", stage1("pb"), true, start);
    book.set_fetched({native_row("a", "%", "pa")}, false);
    EXPECT_TRUE(book.view("a", start).proof_fresh);
    EXPECT_FALSE(book.view("b", start).proof_fresh);  // it has gone
    book.set_fetched({native_row("a", "%", "changed")}, false);
    EXPECT_FALSE(book.view("a", start).proof_fresh);
}

TEST(AccountBook, RowsThatDifferLeaveItToTheServer) {
    AccountBook book;
    book.set_fetched({native_row("u", "10.%", "one"), native_row("u", "192.%", "two"), native_row("v", "a", "same"),
                      native_row("v", "b", "same")},
                     false);
    EXPECT_EQ(book.view("u", start).hash, nullptr);
    EXPECT_NE(book.view("v", start).hash, nullptr);
}

TEST(AccountBook, LocalAccountsAreForLocalClients) {
    const std::vector<FetchedAccount> rows{native_row("root", "localhost", "r"), native_row("root", "%", "r"),
                                           native_row("app", "%", "a"), native_row("job", "127.0.0.1", "j")};
    AccountBook book;
    book.set_fetched(rows, true);
    EXPECT_TRUE(book.view("root", start).local_clients_only);  // the server prefers the row of localhost
    EXPECT_TRUE(book.view("job", start).local_clients_only);
    EXPECT_FALSE(book.view("app", start).local_clients_only);
    book.set_fetched(rows, false);  // a gate on another host never matches those rows
    EXPECT_FALSE(book.view("root", start).local_clients_only);
    book.set_rules({.allow_empty_password = {"guest"}, .allow_remote = {"job"}});
    book.set_fetched(rows, true);
    EXPECT_FALSE(book.view("job", start).local_clients_only);
    EXPECT_TRUE(book.view("job", start).local_account_anywhere);
    EXPECT_FALSE(book.view("root", start).local_account_anywhere);
    EXPECT_TRUE(book.view("guest", start).empty_password_anywhere);
    EXPECT_FALSE(book.view("root", start).empty_password_anywhere);
    book.set_fetched({native_row("", "localhost", "x"), native_row("app", "%", "a")}, true);
    EXPECT_TRUE(book.view("app", start).local_clients_only);  // the server would take the anonymous row
}

TEST(AccountBook, TheHostThatTheServerMatchedCounts) {
    AccountBook book;
    book.remember("u", password("p"), true, start, "localhost");
    EXPECT_TRUE(book.view("u", start).local_clients_only);
    book.remember("u", password("p"), true, start);
    EXPECT_TRUE(book.view("u", start).local_clients_only);
    book.remember("u", password("p"), true, start, "%");
    EXPECT_FALSE(book.view("u", start).local_clients_only);
}

TEST(AccountBook, KnowsLocalHosts) {
    for (const char* host :
         {"localhost", "127.0.0.1", "127.%", "::1", "localhost.localdomain", "127.0.0.0/255.0.0.0"}) {
        EXPECT_TRUE(is_local_host(host)) << host;
    }
    for (const char* host : {"%", "10.0.0.1", "1270.example", "localhosts", "", "gate.example"}) {
        EXPECT_FALSE(is_local_host(host)) << host;
    }
}

TEST(AccountBook, MemoryIsBounded) {
    AccountBook book;
    const auto credential = password("p");
    for (std::size_t i = 0; i < AccountBook::max_remembered + 100; ++i) {
        book.remember(std::to_string(i), credential, true, start);
    }
    std::size_t known = 0;
    for (std::size_t i = 0; i < AccountBook::max_remembered + 100; ++i) {
        if (book.credential(std::to_string(i)) != nullptr) ++known;
    }
    EXPECT_EQ(known, AccountBook::max_remembered);
}

}  // namespace
}  // namespace tidegate::proxy
