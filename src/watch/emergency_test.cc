// What a person reads at three in the morning, held against what there is to say in each case.
#include "watch/emergency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "watch/php_fpm.h"
#include "watch/test_programs.h"

namespace tidegate::watch {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

LocalHolder holder(int pid, const std::string& name, std::optional<Duration> quiet, std::size_t connections = 1) {
    LocalHolder one;
    one.program.pid = pid;
    one.program.name = name;
    one.program.account = "www-data";
    LocalEnd end;
    end.port = 40000;
    end.quiet = quiet;
    one.ends.assign(connections, end);
    return one;
}

Program server(const std::string& name) {
    Program one;
    one.pid = 900;
    one.name = name;
    return one;
}

// A MariaDB on this host, filled by PHP workers and one Node script.
Emergency full_here() {
    Emergency e;
    e.server = {"127.0.0.1", 3306, ""};
    e.user = "app";
    e.root = true;
    e.php_fpm = {"php8.2-fpm"};
    e.failed = {{"as app at 127.0.0.1:3306", {1040, "08004", "Too many connections"}},
                {"as root over the socket /run/mysqld/mysqld.sock", {1040, "08004", "Too many connections"}}};
    LocalView view;
    view.server_is_here = true;
    view.server = server("mariadbd");
    view.sockets = {"/run/mysqld/mysqld.sock"};
    view.ports = {3306};
    view.self = 77;
    for (int i = 0; i < 14; ++i) view.holders.push_back(holder(4242 + i, "php worker.php", (8min + i * 150s)));
    view.holders.push_back(holder(4300, "node import.js", 50min, 10));
    view.holders.push_back(holder(4301, "tidegate serve", 3s, 2));
    view.holders.push_back(holder(77, "tidegate status", 0s));
    e.local = view;
    return e;
}

Emergency shared_hosting(const std::string& message) {
    Emergency e;
    e.server = {"mysql.hoster.example", 3306, ""};
    e.user = "u1234";
    e.failed = {{"as u1234 at mysql.hoster.example:3306", {1226, "42000", message}}};
    e.local = LocalView{};
    e.local->holders = {holder(51, "php import.php", 12min, 3)};
    return e;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// The text from there on.
std::string where(const std::string& text, const std::string& words) {
    const auto at = text.find(words);
    EXPECT_NE(at, std::string::npos) << "no \"" << words << "\" in:\n" << text;
    return at == std::string::npos ? "" : text.substr(at);
}

TEST(EmergencyText, NamesWhoHoldsAServerOfThisHost) {
    const auto text = emergency_text(full_here());
    EXPECT_THAT(text, AllOf(HasSubstr("THE SERVER IS FULL: 127.0.0.1:3306"), HasSubstr("On this host 26 are held"),
                            HasSubstr("14  php worker.php (pid 4242 to 4255, www-data), quiet for 8 to 40 minutes"),
                            HasSubstr("10  node import.js (pid 4300, www-data), quiet for 50 minutes"),
                            HasSubstr("tidegate serve (pid 4301, www-data), quiet for 3 seconds; leave it alone")));
    EXPECT_THAT(text, Not(HasSubstr("tidegate status (")));  // its own socket, if there is one, is no holder
}

TEST(EmergencyText, HasTheWaysOutInOrderOfHarm) {
    auto text = emergency_text(full_here());
    for (const char* command :
         {"1. ", "tidegate kill --processes --program 'php worker.php'\n",
          "tidegate kill --processes --program 'node import.js'\n",
          "kill 4242 4243 4244 4245 4246 4247 4248 4249 4250 4251 4252 4253 4254 4255\n", "kill 4300\n",
          "netstat -ano | findstr :3306", "taskkill /F /IM node.exe", "2. ", "php artisan queue:restart",
          "supervisorctl restart all\n", "pm2 restart all", "3. ",
          "mariadb -u root -S /run/mysqld/mysqld.sock -e 'SHOW PROCESSLIST'\n",
          "tidegate kill --idle 300 --server 'mysql://root@localhost?socket=/run/mysqld/mysqld.sock'\n", "4. ",
          "systemctl restart php8.2-fpm\n", "5. ", "systemctl restart mariadb\n"}) {
        text = where(text, command);
    }
    EXPECT_THAT(emergency_text(full_here()), AllOf(Not(HasSubstr("sudo")), Not(HasSubstr("shared hosting"))));
}

TEST(EmergencyText, EndsNobodyWhoIsToBeLeftAlone) {
    auto e = full_here();
    e.local->holders = {holder(4301, "tidegate serve", 3s), holder(4302, "mariadbd", 3s)};
    const auto text = emergency_text(e);
    EXPECT_THAT(text,
                AllOf(Not(HasSubstr("kill 430")), Not(HasSubstr("'tidegate serve'")), Not(HasSubstr("'mariadbd'"))));
}

TEST(EmergencyText, GivesTheServersOtherPortAndItsOwnClient) {
    auto e = full_here();
    e.local->ports = {3306, 3307};
    EXPECT_THAT(emergency_text(e), HasSubstr("mariadb -u root -p -h 127.0.0.1 -P 3307"));
    e.local->server = server("mysqld");
    e.local->ports = {3306, 33060};
    EXPECT_THAT(emergency_text(e), AllOf(HasSubstr("mysql -u root -S"), HasSubstr("systemctl restart mysql\n"),
                                         Not(HasSubstr("-P 33060"))));
}

TEST(EmergencyText, OnSharedHostingSaysWhomToAsk) {
    const auto e = shared_hosting("User 'u1234' has exceeded the 'max_user_connections' resource (current value: 50)");
    ASSERT_TRUE(is_likely_shared_hosting(e));
    const auto text = emergency_text(e);
    EXPECT_THAT(text, AllOf(HasSubstr("u1234 MAY HAVE NO MORE CONNECTIONS"), HasSubstr("MAX_USER_CONNECTIONS"),
                            HasSubstr("Other accounts still get in"), HasSubstr("     kill 51\n"),
                            HasSubstr("(shared hosting), send this to their support"),
                            HasSubstr("(current value: 50)\""), HasSubstr("Please end its sleeping connections")));
    EXPECT_THAT(text, AllOf(Not(HasSubstr("systemctl restart php")), Not(HasSubstr("systemctl restart mariadb")),
                            Not(HasSubstr("THE SERVER IS FULL"))));
}

TEST(EmergencyText, KnowsThatAnHourlyLimitIsNotHelpedByKilling) {
    const auto text = emergency_text(
        shared_hosting("User 'u1234' has exceeded the 'max_connections_per_hour' resource (current value: 500)"));
    EXPECT_THAT(text, AllOf(HasSubstr("FLUSH USER_RESOURCES"), HasSubstr("MAX_CONNECTIONS_PER_HOUR 0\"\n"),
                            Not(HasSubstr("kill 51")), Not(HasSubstr("--processes"))));
}

TEST(EmergencyText, OfAServerElsewhereSaysWhereToLook) {
    auto e = full_here();
    e.server.host = "db7";
    e.flags = "--server mysql://app@db7";
    e.local = LocalView{};
    const auto text = emergency_text(e);
    EXPECT_THAT(text, AllOf(HasSubstr("No program of this host holds a connection"), HasSubstr("ss -tnp dport = :3306"),
                            HasSubstr("-h db7 -P 3306"), HasSubstr("On its host"),
                            HasSubstr("tidegate kill --processes --server mysql://app@db7")));
    EXPECT_FALSE(is_likely_shared_hosting(e));  // who asks is root here
    e.root = false;
    EXPECT_THAT(emergency_text(e), AllOf(HasSubstr("shared hosting"), Not(HasSubstr("systemctl restart mariadb"))));
}

TEST(EmergencyText, OfAServerThatDoesNotAnswerAsksWhetherItRuns) {
    auto e = full_here();
    e.failed = {{"as app at 127.0.0.1:3306", {2002, "HY000", "Can't connect"}}};
    e.local = LocalView{};
    EXPECT_THAT(emergency_text(e), AllOf(HasSubstr("DOES NOT ANSWER"), HasSubstr("systemctl status"),
                                         Not(HasSubstr("systemctl restart"))));
    e.local.reset();
    e.failed.clear();
    EXPECT_THAT(emergency_text(e), HasSubstr("DOES NOT ANSWER"));
}

TEST(EmergencyText, SaysWhenOthersProgramsAreHidden) {
    auto e = full_here();
    e.root = false;
    e.local->of_unknown.resize(7);
    EXPECT_FALSE(is_likely_shared_hosting(e));
    EXPECT_THAT(emergency_text(e), AllOf(HasSubstr("   7  of programs that this user may not see"),
                                         HasSubstr("sudo systemctl restart php8.2-fpm"), HasSubstr("sudo mariadb")));
    e.local->server.reset();
    EXPECT_TRUE(is_likely_shared_hosting(e));
}

// Whatever there is to say, it fits a screen, and a command can be copied whole.
TEST(EmergencyText, FitsAScreen) {
    auto e = full_here();
    e.root = false;
    e.flags = "--server mysql://some_application@a-long-name.of-a-database.example.org:3306/schema";
    e.php_fpm = {"php7.4-fpm", "php8.0-fpm", "php8.1-fpm", "php8.2-fpm"};
    for (int i = 0; i < 5; ++i) e.failed.push_back({std::string(90, 'w'), {1040, "08004", std::string(200, 'x')}});
    for (int i = 0; i < 20; ++i)
        e.local->holders.push_back(
            holder(1'000'000 + i, "php " + std::string(50, static_cast<char>('a' + i)), 5min, 30));
    for (int i = 0; i < 24; ++i) e.local->holders.push_back(holder(2'000'000 + 2 * i, "php many's.php", 5min, 40));
    e.local->of_unknown.resize(3);
    for (const bool seen : {true, false}) {
        if (!seen) e.local->server.reset();
        const auto text = emergency_text(e);
        const auto lines = lines_of(text);
        EXPECT_LE(lines.size(), kEmergencyLines) << text;
        for (const auto& line : lines) EXPECT_LE(line.size(), kEmergencyColumns) << line;
        EXPECT_THAT(text, HasSubstr(R"('php many'\''s.php')"));
    }
}

TEST(EmergencyText, DoesNotSteerATerminal) {
    auto e = full_here();
    e.failed[0].error.message = "Host '\x1B[2J' is not allowed";
    EXPECT_THAT(emergency_text(e), Not(HasSubstr("\x1B")));
}

TEST(PhpFpm, IsFoundByItsFolders) {
    const TestFolder root;
    EXPECT_THAT(php_fpm_services(root.path), IsEmpty());
    for (const char* folder : {"/etc/php/8.2/fpm", "/etc/php/8.1/fpm", "/etc/php/7.4/cli", "/etc/php/modules/fpm"})
        std::filesystem::create_directories(root.path + folder);
    EXPECT_THAT(php_fpm_services(root.path), ElementsAre("php8.1-fpm", "php8.2-fpm"));
    std::filesystem::create_directories(root.path + "/run/php");
    for (const char* file : {"run/php/php8.2-fpm.pid", "run/php/php8.2-fpm.sock", "run/php/php-fpm.sock"})
        root.write(file, "1");
    EXPECT_THAT(php_fpm_services(root.path), ElementsAre("php8.2-fpm"));  // the one that runs
    const TestFolder red_hat;
    std::filesystem::create_directories(red_hat.path + "/etc/php-fpm.d");
    EXPECT_THAT(php_fpm_services(red_hat.path), ElementsAre("php-fpm"));
}

}  // namespace
}  // namespace tidegate::watch
