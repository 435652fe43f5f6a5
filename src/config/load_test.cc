#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "config/keys.h"

namespace tidegate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// An operator's machine: files, environment, flags.
struct Desk {
    std::map<std::string, FileText> files;
    std::map<std::string, std::string, std::less<>> variables;
    Inputs inputs;

    Desk() {
        inputs.read = [this](const std::string& path) -> Result<FileText> {
            const auto file = files.find(path);
            if (file == files.end()) return fail("no such file");
            return file->second;
        };
        inputs.environment = [this](std::string_view name) -> std::optional<std::string> {
            const auto value = variables.find(name);
            if (value == variables.end()) return std::nullopt;
            return value->second;
        };
    }
    Desk& toml(std::string text) {
        inputs.config_file = "t.toml";
        files["t.toml"] = {std::move(text)};
        return *this;
    }
    [[nodiscard]] std::vector<std::string> problems() const {
        std::vector<std::string> texts;
        auto loaded = load(inputs);
        if (loaded) return texts;
        for (const auto& problem : loaded.error()) texts.push_back(problem.text());
        return texts;
    }
    [[nodiscard]] Loaded good() const {
        auto loaded = load(inputs);
        if (loaded) return std::move(*loaded);
        ADD_FAILURE() << problems().front();
        return {};
    }
};

constexpr const char* kUrl = "[server]\nurl = \"mysql://db\"\n";

TEST(Load, HasDefaultsForEverythingButTheServer) {
    Desk desk;
    desk.inputs.flags.server = "mysql://127.0.0.1:3310";
    const auto loaded = desk.good();
    const auto& c = loaded.config;
    EXPECT_EQ(loaded.server_from, "--server");
    EXPECT_EQ(c.server.text(), "127.0.0.1:3310");
    EXPECT_FALSE(c.server.has_account());
    EXPECT_EQ(c.listen.address->text(), "127.0.0.1:6306");
    EXPECT_EQ(c.api.address->text(), "127.0.0.1:6380");
    EXPECT_EQ(c.pool.wait_timeout, Duration(30s));
    EXPECT_EQ(c.server.connect_timeout, Duration(5s));
    EXPECT_EQ(c.server.query_timeout, Duration(0s));
    EXPECT_FALSE(c.budget.max_connections);
    EXPECT_EQ(c.budget.reserve, 3U);
    EXPECT_EQ(c.budget.opening_at_once, 8U);
    EXPECT_EQ(c.pool.mode, PoolMode::transaction);
    EXPECT_TRUE(c.passthrough.enabled);
    EXPECT_TRUE(loaded.warnings.empty());
}

TEST(Load, ReadsEverySection) {
    Desk desk;
    desk.files["/etc/tidegate/app.pw"] = {"s3cret\n"};
    desk.files["/etc/tidegate/token"] = {"abc\r\n"};
    desk.files["/etc/tidegate/t.toml"] = {R"(
[server]
url = "mysql://mon:pw@db.example:3307/shop"
tls = "verify-identity"
ca = "ca.pem"
connect_timeout = 2.5
query_timeout = "off"
[budget]
max_connections = 100
reserve = 0
max_per_user = "auto"
[listen]
address = "0.0.0.0:3306"
unix = "/run/tidegate.sock"
tls_cert = "c.pem"
tls_key = "/k.pem"
require_tls = true
console = false
proxy_protocol_from = ["10.0.0.0/8", "::1"]
[pool]
mode = "session"
wait_timeout = 10
idle_in_transaction = "2m"
pin_warning = 0
max_prepared = 20
[passthrough]
rsa = "always"
allow_remote = ["root"]
[[user]]
name = "app"
password_file = "app.pw"
class = "web"
max_connections = 50
guaranteed = 5
[[user]]
name = "cron"
hash = "*0123456789012345678901234567890123456789"
mode = "transaction"
[[class]]
name = "web"
weight = 200
[[class]]
name = "batch"
weight = 10
match = { user = "cron*", address = "10.1.0.0/16", program = "php?" }
[api]
address = "0.0.0.0:6380"
token_file = "token"
[log]
level = "debug"
format = "json"
)"};
    desk.inputs.config_file = "/etc/tidegate/t.toml";
    const auto loaded = desk.good();
    const auto& c = loaded.config;
    EXPECT_EQ(c.server.host, "db.example");
    EXPECT_EQ(c.server.user, "mon");
    EXPECT_TRUE(c.server.password == Secret("pw"));
    EXPECT_EQ(c.server.ca, "/etc/tidegate/ca.pem");
    EXPECT_EQ(c.server.connect_timeout, Duration(2500ms));
    EXPECT_EQ(c.budget.max_connections, 100U);
    EXPECT_EQ(c.budget.reserve, 0U);
    EXPECT_FALSE(c.budget.max_per_user);
    EXPECT_EQ(c.listen.address->text(), "0.0.0.0:3306");
    EXPECT_EQ(c.listen.tls_cert, "/etc/tidegate/c.pem");
    EXPECT_EQ(c.listen.tls_key, "/k.pem");
    EXPECT_TRUE(c.listen.require_tls);
    EXPECT_FALSE(c.listen.console);
    EXPECT_EQ(c.pool.mode, PoolMode::session);
    EXPECT_EQ(c.pool.wait_timeout, Duration(10s));
    EXPECT_EQ(c.pool.idle_in_transaction, Duration(2min));
    EXPECT_EQ(c.pool.pin_warning, Duration(0));
    EXPECT_EQ(c.pool.max_prepared, 20U);
    EXPECT_EQ(c.passthrough.rsa, RsaMode::always);
    ASSERT_EQ(c.users.size(), 2U);
    EXPECT_TRUE(c.users[0].password == Secret("s3cret"));
    EXPECT_FALSE(c.users[0].mode);
    EXPECT_EQ(c.users[1].mode, PoolMode::transaction);
    EXPECT_TRUE(c.api.token == Secret("abc"));
    EXPECT_EQ(c.log.format, LogFormat::json);

    ASSERT_EQ(c.classes.size(), 2U);
    EXPECT_EQ(c.classes[0].rank, 0U);
    EXPECT_EQ(c.default_rank, 1U);
    EXPECT_EQ(c.classes[1].rank, 2U);
    EXPECT_EQ(class_of(c, "app", "10.1.2.3", "php8"), &c.classes[0]);
    EXPECT_EQ(class_of(c, "cron_night", "10.1.2.3", "php8"), &c.classes[1]);
    EXPECT_EQ(class_of(c, "cron_night", "10.2.2.3", "php8"), nullptr);
    EXPECT_EQ(class_of(c, "cron_night", "10.1.2.3", "php"), nullptr);
    EXPECT_EQ(class_of(c, "night", "10.1.2.3", "php8"), nullptr);
}

struct Bad {
    const char* toml;
    const char* says;
};

class BadFile : public testing::TestWithParam<Bad> {};

TEST_P(BadFile, IsRefusedAtItsPlace) {
    Desk desk;
    desk.files["open.pw"] = {"x", true};
    desk.files["empty.pw"] = {"\n"};
    desk.toml(GetParam().toml);
    desk.inputs.flags.server = "mysql://db";
    EXPECT_THAT(desk.problems(), ElementsAre(HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadFile,
    testing::Values(
        Bad{"[pool]\nwait_timout = 3",
            "t.toml:2:1: there is no setting `wait_timout` in [pool]; did you mean `wait_timeout`?"},
        Bad{"[pool]\ncolour = 3", "t.toml:2:1: there is no setting `colour` in [pool]"},
        Bad{"[server]\npool = 10", "no program has that setting"},
        Bad{"[pool]\npool_size = 10", "is `max_connections` in [budget]"},
        Bad{"[server]\nwait_timeout = 3", "it belongs to [pool]"},
        Bad{"wait_timeout = 3", "t.toml:1:1: `wait_timeout` stands outside any section; it belongs to [pool]"},
        Bad{"[sever]\n", "did you mean `server`?"}, Bad{"[mail]\n", "there is no section `mail`"},
        Bad{"[slots]\nredis = \"redis://a\"",
            "t.toml:2:1: there is no setting `redis` in [slots]: one limit over several hosts"},
        Bad{"[slots]\nmax = 0", "t.toml:2:7: `max` in [slots]"},
        Bad{"[fleet]\nname = \"a\"", "must be written [[fleet]]"},
        Bad{"[[fleet]]\ncommand = \"x\"", "t.toml:1:1: `name` in [[fleet]] is missing"},
        Bad{"[[fleet]]\nname = \"a b\"\ncommand = \"x\"", "t.toml:2:8: `name` in [[fleet]] must be 1 to 64 letters"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\n[[fleet]]\nname = \"a\"\ncommand = \"y\"",
            "t.toml:5:8: `name` in [[fleet]] is \"a\" for a second time"},
        Bad{"[[fleet]]\nname = \"a\"", "t.toml:1:1: `command` in [[fleet]] is missing"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \" \"", "t.toml:3:11: `command` in [[fleet]] must not be empty"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = []", "must be a list of words"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = [\"php\", 1]", "must be a list of words"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\nworkers = -1", "must lie between 0 and 100000, not -1"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\nbatch = \"all\"", "or \"auto\""},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\nrestart = \"sometimes\"", "must be one of \"always\""},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\nmax_jobs = \"many\"", "or \"off\""},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\nmax_jobs = -1", "must lie between 1 and 1000000000, not -1"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\nmax_rss = \"big\"", "must be a size such as \"256M\""},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\njob_line = \"(\"",
            "t.toml:4:12: `job_line` in [[fleet]] is not good: \"(\" is not a regular expression"},
        Bad{"[[fleet]]\nname = \"a\"\ncommand = \"x\"\nmax_connections = 2", "it belongs to [budget]"},
        Bad{"[user]\nname = \"a\"", "must be written [[user]]"}, Bad{"[[pool]]\n", "written [pool]"},
        Bad{"pool = 10", "must be a section, written [pool]"}, Bad{"user = [1]", "must be written [[user]]"},
        Bad{"[pool\n", "t.toml:1:6: "},
        Bad{"[log]\nlevel = \"\"\"loud\"\"\"", "t.toml:2:9: `level` in [log] must be one of trace"},
        Bad{"[!x]\n", "t.toml:1:2: "}, Bad{"[\n", "t.toml:1:2: "}, Bad{"\xc3\xa9 = 1", "t.toml:1:1: "},
        Bad{"[[user]]\nname = m\xc3\xbcller", "t.toml:2:8: "},
        Bad{"[log]\nlevel\xc2\xa0= \"info\"", "t.toml:2:6: Error while parsing key: expected space or tab"},
        // toml++ 3.3 calls it unreachable that it meets U+01CD where white space may stand.
        Bad{"1=0[.[\"%9\xc7\x8d", "t.toml:1:4: Error while parsing floating-point"},
        Bad{"[pool]\nmode = \"\"\"\\ \xc7\x8d\"\"\"", "t.toml:2:"}, Bad{"[pool]\nmode = transaction", "t.toml:2:"},
        Bad{"[pool]\nwait_timeout = \"fast\"", "t.toml:2:16: `wait_timeout` in [pool] must be a time such as"},
        Bad{"[pool]\nwait_timeout = true", "must be a time such as"},
        Bad{"[pool]\nwait_timeout = \"off\"", "must be a time such as"},
        Bad{"[pool]\nwait_timeout = 7200", "must lie between 1ms and 1h"},
        Bad{"[pool]\nwait_timeout = -1", "must be a time such as"},
        Bad{"[server]\nquery_timeout = \"1ms\"", "must lie between 100ms and 24h, or \"off\""},
        Bad{"[pool]\nmax_waiting = \"many\"", "must be a whole number without quotes, not a string"},
        Bad{"[pool]\nmax_waiting = 1.5", "not a number with a fraction"},
        Bad{"[pool]\nmax_waiting = -1", "must lie between 0 and 1000000, not -1"},
        Bad{"[budget]\nmax_connections = \"100\"", "must be a whole number without quotes, or \"auto\""},
        Bad{"[budget]\nmax_connections = 0", "must lie between 1 and 100000, not 0"},
        Bad{"[pool]\nmode = \"statement\"", "must be one of \"transaction\" and \"session\""},
        Bad{"[pool]\nmode = 1", "must be a string in quotes, not a number"},
        Bad{"[listen]\nrequire_tls = \"yes\"", "must be true or false without quotes, not a string"},
        Bad{"[listen]\naddress = \"6306\"", "needs a host and a port"},
        Bad{"[listen]\naddress = \"\"", "needs a host and a port"},
        Bad{"[listen]\naddress = \"off\"", "nobody could connect"}, Bad{"[listen]\nunix = \"\"", "must not be empty"},
        Bad{"[listen]\nunix = "
            "\"/"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "x\"",
            "a socket's may have 107"},
        Bad{"[listen]\ntls_cert = \"c.pem\"", "`tls_cert` in [listen] needs `tls_key` beside it"},
        Bad{"[listen]\nproxy_protocol_from = [\"all\"]", "\"all\" is none"},
        Bad{"[listen]\nproxy_protocol_from = \"10.0.0.0/8\"", "must be a list of strings"},
        Bad{"[passthrough]\nproving_at_once = 2\nproving_per_address = 3",
            "must not be more than `proving_at_once`, 2"},
        Bad{"[passthrough]\nenabled = false", "nobody could log in"},
        Bad{"[server]\nurl = \"mysql://u:hunter2@db:x\"",
            "t.toml:2:7: `url` in [server] is not good: the server's URL needs a port"},
        Bad{"[server]\nurl = \"mysql://db?tls=required\"\ntls = \"disabled\"",
            "t.toml:3:7: `tls` in [server] says disabled and the url says required"},
        Bad{"[server]\nurl = \"mysql://u:a@db\"\npassword_file = \"open.pw\"",
            "every user of this machine can read; chmod 600 open.pw"},
        Bad{"[server]\nurl = \"mysql://u@db\"\npassword_file = \"gone.pw\"",
            "t.toml:3:17: `password_file` in [server] names gone.pw, which cannot be read: no such file"},
        Bad{"[server]\nurl = \"mysql://u@db\"\npassword_file = \"empty.pw\"", "whose first line is empty"},
        Bad{"[[user]]\npassword = \"x\"", "t.toml:1:1: `name` in [[user]] is missing"},
        Bad{"[[user]]\nname = \"a\"\n[[user]]\nname = \"a\"",
            "t.toml:4:8: `name` in [[user]] is \"a\" for a second time"},
        Bad{"[[user]]\nname = \"a\"\npassword = \"x\"\nhash = \"*0123456789012345678901234567890123456789\"",
            "t.toml:4:8: `hash` in [[user]] contradicts"},
        Bad{"[[user]]\nname = \"a\"\nhash = \"sesame\"", "must be a hash as mysql.user has it"},
        Bad{"[[user]]\nname = \"a\"\nguaranteed = 5\nmax_connections = 4", "is 5, more than its `max_connections`, 4"},
        Bad{"[[user]]\nname = \"a\"\nclass = \"wbe\"\n[[class]]\nname = \"web\"",
            "t.toml:3:9: the account \"a\" is put into the class \"wbe\", which there is not; did you mean \"web\"?"},
        Bad{"[[class]]\nname = \"a\"\nmatch = { user = \"b\" }\n[[class]]\nname = \"a\"\nmatch = { user = \"c\" }",
            "for a second time"},
        Bad{"[[class]]\nname = \"a\"\nmatch = \"b\"", "must be a table, such as { user = \"cron_*\" }, not a string"},
        Bad{"[[class]]\nname = \"a\"\nmatch = { adress = \"b\" }", "did you mean `address`?"},
        Bad{"[[class]]\nname = \"a\"\nmatch = { address = \"b\" }", "a network such as"},
        Bad{"[[class]]\nname = \"a\"\nweight = 0", "must lie between 1 and 10000, not 0"},
        Bad{"[budget]\nmax_connections = 9\n[[user]]\nname = \"a\"\nguaranteed = 10",
            "t.toml:2:19: `max_connections` in [budget] is 9, less than what is guaranteed to the accounts together, "
            "10"},
        Bad{"[api]\naddress = \"0.0.0.0:6380\"",
            "t.toml:2:11: the API at 0.0.0.0:6380 could be read from other machines"},
        Bad{"[api]\naddress = \"127.0.0.1:6306\"", "the API and the listener cannot both be at 127.0.0.1:6306"},
        Bad{"[api]\ntoken = \"x\"", "did you mean `token_file`?"},
        Bad{"[log]\nlevel = \"loud\"", "must be one of trace"},
        Bad{"[log]\nformat = \"xml\"", "\"text\" and \"json\""}));

TEST(Load, ReportsAllProblemsAtOnce) {
    Desk desk;
    desk.toml("[pool]\nmode = 1\nwait = 2\n[log]\nlevel = \"loud\"\n");
    desk.inputs.flags.listen = "6306";
    EXPECT_THAT(desk.problems(), ElementsAre(HasSubstr("t.toml:2:8:"), HasSubstr("t.toml:3:1:"),
                                             HasSubstr("t.toml:5:9:"), HasSubstr("--listen needs a host and a port")));
}

TEST(Load, NamesAFileThatCannotBeRead) {
    Desk desk;
    desk.inputs.config_file = "gone.toml";
    desk.inputs.flags.server = "mysql://db";
    EXPECT_THAT(desk.problems(), ElementsAre("gone.toml: cannot be read: no such file"));
}

TEST(Load, RefusesAFileThatIsNotText) {
    Desk desk;
    desk.toml(std::string("[pool]\n[\0]\n", 11));
    desk.inputs.flags.server = "mysql://db";
    EXPECT_THAT(desk.problems(), ElementsAre(HasSubstr("t.toml:2:2: Error while parsing key")));
}

TEST(Load, TakesAnyLettersInStringsAndComments) {
    Desk desk;
    desk.toml("\xef\xbb\xbf# \xc3\xa9\n[[user]]\nname = \"m\xc3\xbcller\" # \xc3\xa9\npassword = 'p\xc3\xa4\"ss'\n");
    desk.inputs.flags.server = "mysql://db";
    const auto loaded = desk.good();
    ASSERT_EQ(loaded.config.users.size(), 1U);
    EXPECT_EQ(loaded.config.users[0].name, "m\xc3\xbcller");
}

TEST(Load, SaysHowToNameAServer) {
    EXPECT_THAT(Desk().problems(), ElementsAre(HasSubstr("say --server mysql://")));
}

TEST(Load, RefusesBadFlagsByName) {
    Desk desk;
    desk.inputs.flags = {.server = "mysql://u:hunter2@db:x",
                         .listen = "x",
                         .api = "y",
                         .max_connections = "0",
                         .log_level = "loud",
                         .log_format = "xml"};
    const auto problems = desk.problems();
    EXPECT_THAT(problems,
                ElementsAre(HasSubstr("--server"), HasSubstr("--listen"), HasSubstr("--api"),
                            HasSubstr("--max-connections"), HasSubstr("--log-level"), HasSubstr("--log-format")));
    for (const auto& problem : problems) EXPECT_THAT(problem, testing::Not(HasSubstr("hunter")));
}

TEST(Load, FlagsGoBeforeTheFile) {
    Desk desk;
    desk.toml(std::string(kUrl) + "[budget]\nmax_connections = 5\n[log]\nlevel = \"warn\"");
    desk.inputs.flags = {.server = "mysql://other:3308",
                         .listen = "127.0.0.1:0",
                         .api = "off",
                         .max_connections = "auto",
                         .log_level = "debug",
                         .log_format = "json"};
    const auto loaded = desk.good();
    EXPECT_EQ(loaded.config.server.text(), "other:3308");
    EXPECT_EQ(loaded.config.listen.address->port, 0);
    EXPECT_FALSE(loaded.config.api.address);
    EXPECT_FALSE(loaded.config.budget.max_connections);
    EXPECT_EQ(loaded.config.log.level, "debug");
}

TEST(ServerOrder, IsFlagEnvironmentDotEnvFileOptionFile) {
    Desk desk;
    desk.inputs.dot_env = ".env";
    desk.inputs.my_cnf = "my.cnf";
    desk.files["my.cnf"] = {"[mysql]\nhost=no\n[client]\nhost = from-cnf\nuser=me\npassword=\"p#w\"\n"};
    auto loaded = desk.good();
    EXPECT_EQ(loaded.config.server.text(), "from-cnf:3306");
    EXPECT_EQ(loaded.config.server.user, "me");
    EXPECT_TRUE(loaded.config.server.password == Secret("p#w"));
    EXPECT_EQ(loaded.server_from, "my.cnf");

    desk.toml("[server]\nurl = \"mysql://from-file\"");
    EXPECT_EQ(desk.good().config.server.host, "from-file");

    desk.files[".env"] = {
        "# app\nexport DB_HOST='from-dot-env' # here\nDB_PORT=3311\nDB_USERNAME=app\nDB_PASSWORD=\"a\\\"b\"\n"};
    loaded = desk.good();
    EXPECT_EQ(loaded.config.server.text(), "from-dot-env:3311");
    EXPECT_EQ(loaded.config.server.user, "app");
    EXPECT_TRUE(loaded.config.server.password == Secret("a\"b"));
    EXPECT_EQ(loaded.server_from, ".env");

    desk.variables["DB_HOST"] = "from-env";
    loaded = desk.good();
    EXPECT_EQ(loaded.config.server.host, "from-env");
    EXPECT_EQ(loaded.server_from, "the environment");

    desk.inputs.flags.server = "mysql://from-flag";
    EXPECT_EQ(desk.good().config.server.host, "from-flag");
}

TEST(ServerOrder, TakesTheLimitFromTheEnvironment) {
    Desk desk;
    desk.toml(std::string(kUrl) + "[budget]\nmax_connections = 5\n");
    desk.variables["DB_CONNECTION_LIMIT"] = "7";
    EXPECT_EQ(desk.good().config.budget.max_connections, 7U);
    desk.inputs.flags.max_connections = "9";
    EXPECT_EQ(desk.good().config.budget.max_connections, 9U);
    desk.variables["DB_CONNECTION_LIMIT"] = "seven";
    EXPECT_THAT(desk.problems(), ElementsAre(HasSubstr("DB_CONNECTION_LIMIT must be a number")));
    desk.variables = {{"DB_PORT", "none"}};
    EXPECT_THAT(desk.problems(), ElementsAre(HasSubstr("DB_PORT must be a port")));
}

TEST(ServerOrder, NeverGivesAnotherServersPassword) {
    Desk desk;
    desk.inputs.flags.server = "mysql://db2";
    desk.variables = {{"DB_HOST", "db1"}, {"DB_USER", "app"}, {"DB_PASSWORD", "x"}};
    EXPECT_FALSE(desk.good().config.server.has_account());

    desk.inputs.flags.server = "mysql://app@db2";
    EXPECT_TRUE(desk.good().config.server.password.empty());

    desk.variables = {{"DB_USER", "other"}, {"DB_PASSWORD", "x"}};
    EXPECT_TRUE(desk.good().config.server.password.empty());

    desk.variables = {{"DB_PASSWORD", "x"}};
    EXPECT_TRUE(desk.good().config.server.password == Secret("x"));
}

TEST(ServerOrder, AnApplicationMayAlreadyUseTheGate) {
    Desk desk;
    desk.toml("[server]\nurl = \"mysql://db\"");
    desk.variables = {{"DB_HOST", "localhost"}, {"DB_PORT", "6306"}, {"DB_USER", "app"}, {"DB_PASSWORD", "x"}};
    const auto loaded = desk.good();
    EXPECT_EQ(loaded.config.server.text(), "db:3306");
    EXPECT_EQ(loaded.config.server.user, "app");
}

TEST(ServerOrder, TheGateIsNotItsOwnServer) {
    Desk desk;
    desk.inputs.flags = {.server = "mysql://127.0.0.1:3306", .listen = "0.0.0.0:3306"};
    EXPECT_THAT(desk.problems(), ElementsAre(HasSubstr("is where the gate itself listens")));
}

TEST(ServerOrder, TakesTheSocketOfAnOptionFileForLocalhostOnly) {
    Desk desk;
    desk.inputs.my_cnf = "my.cnf";
    desk.files["my.cnf"] = {"[client]\nsocket=/run/m.sock\n"};
    EXPECT_EQ(desk.good().config.server.text(), "/run/m.sock");
    desk.files["my.cnf"] = {"[client]\nsocket=/run/m.sock\nhost=db\n"};
    EXPECT_EQ(desk.good().config.server.text(), "db:3306");
}

TEST(Load, WarnsOfWhatWorksButIsNotMeant) {
    Desk desk;
    desk.files["t.toml"] = {"[server]\nurl = \"mysql://u:p@db\"\nca = \"ca.pem\"\n[[class]]\nname = \"idle\"\n", true};
    desk.inputs.config_file = "t.toml";
    std::vector<std::string> warnings;
    for (const auto& warning : desk.good().warnings) warnings.push_back(warning.text());
    EXPECT_THAT(warnings, ElementsAre(HasSubstr("chmod 600 t.toml"), HasSubstr("nobody is in the class \"idle\""),
                                      HasSubstr("t.toml:3:6: `ca` is not used")));
}

TEST(Fleets, AreReadAsTheFlagsOfRunAre) {
    Desk desk;
    desk.files["/etc/t.toml"] = {R"([server]
url = "mysql://db"
[[fleet]]
name = "mail-1"
command = ["php", "worker.php", "{id}"]
[[fleet]]
name = "import"
command = "cd /app && exec php import.php"
workers = 0
batch = "auto"
batch_delay = "500ms"
restart = "always"
max_jobs = "off"
max_time = "10m"
max_rss = "256M"
stop_timeout = 5
job_line = "^done"
single = "the import"
logs = "logs"
prefix = false
)"};
    desk.inputs.config_file = "/etc/t.toml";
    const auto fleets = desk.good().config.fleets;
    ASSERT_EQ(fleets.size(), 2U);
    EXPECT_EQ(fleets[0], (Fleet{.name = "mail-1", .command = {"php", "worker.php", "{id}"}}));
    const Fleet import{.name = "import",
                       .command = {"/bin/sh", "-c", "cd /app && exec php import.php"},
                       .workers = 0,
                       .batch = std::nullopt,
                       .batch_delay = 500ms,
                       .restart = Restart::always,
                       .max_jobs = 0,
                       .max_time = 10min,
                       .max_rss = std::uint64_t{256} << 20U,
                       .stop_timeout = 5s,
                       .job_line = "^done",
                       .single = "the import",
                       .logs = "/etc/logs",
                       .prefix = false};
    EXPECT_EQ(fleets[1], import);
}

TEST(Fleets, ThatTakeLongerToEndThanTheGateAreWarnedOf) {
    Desk desk;
    desk.toml(std::string(kUrl) + "[[fleet]]\nname = \"a\"\ncommand = \"x\"\nstop_timeout = \"31s\"\n");
    const auto warnings = desk.good().warnings;
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_THAT(warnings[0].text(), HasSubstr("may take 31s to end (`stop_timeout`), but the gate stops within 30s"));
}

TEST(Rules, AreRead) {
    Desk desk;
    desk.toml(std::string(kUrl) + R"(
[[rule]]
user = "report*"
address = "10.0.0.0/8"
mode = "session"
[[rule]]
program = "backup"
statement = " CALL  Nightly_* "
pin = true
trust_calls = true
)");
    const auto rules = desk.good().config.rules;
    ASSERT_EQ(rules.size(), 2U);
    const Rule first{.who = {.user = "report*", .address = "10.0.0.0/8", .program = {}}, .mode = PoolMode::session};
    EXPECT_EQ(rules[0], first);
    const Rule second{.who = {.user = {}, .address = {}, .program = "backup"},
                      .statement = "call nightly_*",
                      .pin = true,
                      .trust_calls = true};
    EXPECT_EQ(rules[1], second);
}

TEST(Rules, ThatMakeNoSenseAreRefused) {
    const auto problem = [](const std::string& rule) {
        Desk desk;
        desk.toml(std::string(kUrl) + "[[rule]]\n" + rule);
        const auto problems = desk.problems();
        return problems.empty() ? std::string() : problems.front();
    };
    EXPECT_THAT(problem("mode = \"session\""), HasSubstr("t.toml:3:1: `user` in [[rule]] is missing, and so are"));
    EXPECT_THAT(problem("user = \"a\""), HasSubstr("without one of them a rule does nothing"));
    EXPECT_THAT(problem("user = \"a\"\npin = true"), HasSubstr("t.toml:5:7: `pin` in [[rule]] is for statements"));
    EXPECT_THAT(problem("statement = \"a\"\nmode = \"session\""), HasSubstr("`mode` in [[rule]] is a whole session's"));
    EXPECT_THAT(problem("statement = \" \"\npin = true"), HasSubstr("must be how a statement begins"));
    EXPECT_THAT(problem("address = \"here\"\nmode = \"session\""), HasSubstr("must be an address, a network"));
    EXPECT_THAT(problem("user = \"a\"\nmode = \"fast\""), HasSubstr("must be one of"));
    EXPECT_THAT(problem("user = \"a\"\nmode = \"session\"\nhost = \"b\""), HasSubstr("`host`"));
}

TEST(Load, DoesNotMindAnOpenFileThatNamesAPasswordFile) {
    Desk desk;
    desk.files["pw"] = {"x"};
    desk.files["t.toml"] = {"[server]\nurl = \"mysql://u@db\"\npassword_file = \"pw\"\n", true};
    desk.inputs.config_file = "t.toml";
    EXPECT_TRUE(desk.good().warnings.empty());
}

TEST(Documentation, ExplainsEveryKey) {
    std::ifstream file("docs/configuration.md");
    ASSERT_TRUE(file) << "to be run in the repository's root, as ctest does";
    std::stringstream text;
    text << file.rdbuf();
    for (const auto& key : kKeys) {
        const auto row = std::string("| `").append(key.section).append("` | `").append(key.name).append("` |");
        EXPECT_THAT(text.str(), HasSubstr(row));
    }
}

}  // namespace
}  // namespace tidegate::config
