#include "config/show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/keys.h"

namespace tidegate::config {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string value_of(const std::vector<Setting>& all, std::string_view key) {
    const auto found = std::ranges::find(all, key, &Setting::key);
    return found == all.end() ? "(not shown)" : found->value;
}

// Every key there is, so that nobody looks for one in vain.
Config full() {
    Config config;
    config.server.user = "monitor";
    config.server.password = Secret("hush-1");
    config.api.token = Secret("hush-2");
    config.users.push_back({.name = "shop",
                            .password = Secret("hush-3"),
                            .hash = "*hush-4",
                            .class_name = "web",
                            .mode = PoolMode::session,
                            .max_connections = 5,
                            .guaranteed = 2});
    config.classes.push_back({.name = "web", .match = {.user = "shop", .address = "local", .program = "php"}});
    config.fleets.push_back({.name = "mail",
                             .command = {"php", "worker.php", "--password=hush-5"},
                             .max_jobs = 7,
                             .max_time = 1h,
                             .max_rss = 1024,
                             .job_line = "done",
                             .single = "mail",
                             .logs = "/var/log",
                             .prefix = false});
    KillRule kill{.name = "idlers",
                  .idle = 60s,
                  .busy = 61s,
                  .in_transaction = 62s,
                  .user = "u",
                  .host = "h",
                  .schema = "s",
                  .program = "p",
                  .state = "t",
                  .statement = "SELECT *",
                  .query = true,
                  .limit = 4};
    config.kill_rules.push_back(kill);
    config.rules.push_back({.who = {.user = "u", .address = "local", .program = "p"},
                            .statement = "CALL",
                            .mode = PoolMode::session,
                            .pin = true,
                            .trust_calls = true});
    return config;
}

TEST(Show, HasEveryKeyOfTheTables) {
    const auto all = show(full());
    for (const Key& key : kKeys) {
        if (key.section.starts_with("[[")) continue;
        EXPECT_NE(value_of(all, std::string(key.section) + " " + std::string(key.name)), "(not shown)")
            << key.section << " " << key.name;
    }
}

TEST(Show, HasWhatWasGivenOfTheLists) {
    const auto all = show(full());
    for (const Key& key : kKeys) {
        if (!key.section.starts_with("[[") || key.name == "password_file" || key.name == "match") continue;
        if (key.section != "[[user]]" && key.name == "name") continue;  // it stands in every key of its table
        EXPECT_TRUE(std::ranges::any_of(all,
                                        [&](const Setting& each) {
                                            return each.key.starts_with(key.section) &&
                                                   each.key.ends_with(": " + std::string(key.name));
                                        }))
            << key.section << " " << key.name;
    }
    EXPECT_EQ(value_of(all, "[[user]] shop: mode"), "session");
    EXPECT_EQ(value_of(all, "[[kill]] idlers: idle"), "1m");
    EXPECT_EQ(value_of(all, "[[class]] web: address"), "local");
}

TEST(Show, HasNoSecret) {
    for (const Setting& each : show(full())) {
        EXPECT_THAT(each.value, Not(HasSubstr("hush"))) << each.key;
        EXPECT_THAT(each.key, Not(HasSubstr("hush")));
    }
    EXPECT_EQ(value_of(show(full()), "[server] url"), "mysql://monitor@127.0.0.1:3306");
    EXPECT_EQ(value_of(show(full()), "[server] password_file"), "(given, not shown)");
    EXPECT_EQ(value_of(show(Config()), "[server] password_file"), "");
}

TEST(Show, TellsWhatIsNotAsUsual) {
    Config config;
    config.pool.wait_timeout = 5s;
    config.listen.address.reset();
    for (const Setting& each : show(config)) {
        ASSERT_TRUE(each.usual);
        const bool changed = each.key == "[pool] wait_timeout" || each.key == "[listen] address";
        EXPECT_EQ(each.value != *each.usual, changed) << each.key;
    }
    EXPECT_EQ(value_of(show(config), "[pool] wait_timeout"), "5s");
    EXPECT_EQ(value_of(show(config), "[listen] address"), "off");
}

TEST(Show, NamesAServersSocket) {
    Config config;
    config.server.socket = "/run/mysqld/mysqld.sock";
    config.server.schema = "shop";
    EXPECT_THAT(value_of(show(config), "[server] url"), HasSubstr("socket=/run/mysqld/mysqld.sock"));
}

}  // namespace
}  // namespace tidegate::config
