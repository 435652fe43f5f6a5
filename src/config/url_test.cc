#include "config/url.h"

#include <gtest/gtest.h>

namespace tidegate::config {
namespace {

Secret secret(std::string_view text) {
    return Secret(text);
}

TEST(ServerUrl, TakesAllParts) {
    const auto url = parse_server_url("mysql://app:s3cr%40t@db.example:3307/shop?tls=verify-ca&ca=/etc/ca.pem");
    ASSERT_TRUE(url) << url.error().message;
    EXPECT_EQ(url->user, "app");
    EXPECT_TRUE(url->password == secret("s3cr@t"));
    EXPECT_EQ(url->host, "db.example");
    EXPECT_EQ(url->port, 3307);
    EXPECT_EQ(url->schema, "shop");
    EXPECT_EQ(url->tls, TlsMode::verify_ca);
    EXPECT_EQ(url->ca, "/etc/ca.pem");
}

TEST(ServerUrl, NeedsOnlyAHost) {
    const auto url = parse_server_url("mysql://db");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "db");
    EXPECT_FALSE(url->user);
    EXPECT_FALSE(url->password);
    EXPECT_FALSE(url->port);
    EXPECT_FALSE(url->tls);
}

TEST(ServerUrl, TellsAnEmptyPasswordFromNone) {
    EXPECT_TRUE(parse_server_url("mysql://app:@db")->password.has_value());
    EXPECT_FALSE(parse_server_url("mysql://app@db")->password.has_value());
}

TEST(ServerUrl, TakesIPv6AndSockets) {
    const auto six = parse_server_url("mysql://root@[::1]:3306/");
    ASSERT_TRUE(six);
    EXPECT_EQ(six->host, "::1");
    EXPECT_EQ(six->port, 3306);
    const auto socket = parse_server_url("mysql://root@/shop?socket=/run/mysqld/mysqld.sock");
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->socket, "/run/mysqld/mysqld.sock");
    EXPECT_EQ(socket->host, "");
    EXPECT_EQ(socket->schema, "shop");
}

TEST(ServerUrl, TakesAnAtSignInThePassword) {
    const auto url = parse_server_url("mysql://app:a@b@db");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->password == secret("a@b"));
    EXPECT_EQ(url->host, "db");
}

struct Bad {
    const char* url;
    const char* says;
};

class BadUrl : public testing::TestWithParam<Bad> {};

TEST_P(BadUrl, IsRefusedWithoutItsPassword) {
    const auto url = parse_server_url(GetParam().url);
    ASSERT_FALSE(url);
    EXPECT_NE(url.error().message.find(GetParam().says), std::string::npos) << url.error().message;
    EXPECT_EQ(url.error().message.find("hunter"), std::string::npos) << url.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadUrl,
    testing::Values(Bad{"postgres://u:hunter2@db", "must begin with mysql://"}, Bad{"mysql://u:hunter2@", "no host"},
                    Bad{"mysql://u:hunter2@db:0", "port between 1 and 65535"},
                    Bad{"mysql://u:hunter2@db:x", "port between 1 and 65535"}, Bad{"mysql://u:hunter%zz@db", "%25"},
                    Bad{"mysql://u:hunter%00@db", "%25"}, Bad{"mysql://u:hunter/2@db", "%2F"},
                    Bad{"mysql://u:hunter?2@db", "%3F"}, Bad{"mysql://u:12/hunter@db", "%2F"},
                    Bad{"mysql://u:12?hunter@db", "%3F"}, Bad{"mysql://u:hunter#2@db", "%23"},
                    Bad{"mysql://:hunter2@db", "no user"}, Bad{"mysql://u:hunter2@::1:3306", "brackets"},
                    Bad{"mysql://u:hunter2@[::1", "bracket"}, Bad{"mysql://u:hunter2@[::1]3306", "bracket"},
                    Bad{"mysql://u:hunter2@db/a/b", "schema"},
                    Bad{"mysql://u:hunter2@db?tsl=required", "did you mean `tls`"},
                    Bad{"mysql://u:hunter2@db?pool=10", "no parameter `pool`"},
                    Bad{"mysql://u:hunter2@db?tls=yes", "disabled, preferred"},
                    Bad{"mysql://u:hunter2@db?socket=x", "absolute path"}, Bad{"mysql://u:hunter2@d b", "host"}));

}  // namespace
}  // namespace tidegate::config
