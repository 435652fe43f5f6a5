// What a person is told of a command line, and that no password is in it.
#include "watch/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/blot.h"
#include "watch/printable.h"

namespace tidegate::watch {
namespace {

using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

struct Named {
    Words words;
    std::string name;
    std::string script;
};

class ProgramName : public testing::TestWithParam<Named> {};

TEST_P(ProgramName, IsWhatAPersonCallsIt) {
    const auto line = read_command_line(GetParam().words, "comm");
    EXPECT_EQ(line.name, GetParam().name);
    EXPECT_EQ(line.script, GetParam().script);
}

INSTANTIATE_TEST_SUITE_P(
    Php, ProgramName,
    testing::Values(
        Named{{"php", "worker.php"}, "php worker.php", "worker.php"},
        Named{{"/usr/bin/php8.2", "-d", "memory_limit=-1", "-q", "/srv/app/worker.php", "--once"},
              "php8.2 worker.php",
              "/srv/app/worker.php"},
        Named{{"php", "-dmemory_limit=-1", "-f", "import.php"}, "php import.php", "import.php"},
        Named{{"php", "-fimport.php"}, "php import.php", "import.php"},
        Named{{"php", "artisan", "queue:work", "--tries=3"}, "php artisan queue:work", "artisan"},
        Named{{"php", "/srv/app/artisan", "--env=prod", "queue:work"}, "php artisan queue:work", "/srv/app/artisan"},
        Named{{"php", "bin/console", "messenger:consume"}, "php console messenger:consume", "bin/console"},
        Named{{"php", "-r", "sleep(9);"}, "php -r", ""},
        Named{{"php", "-S", "0.0.0.0:8000", "-t", "public"}, "php -S 0.0.0.0:8000", ""},
        Named{{"php", "--", "worker.php"}, "php worker.php", "worker.php"}, Named{{"php"}, "php", ""},
        Named{{"php-fpm: pool www                        "}, "php-fpm: pool www", ""},
        Named{{"php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "", "", ""},
              "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)",
              ""}));

INSTANTIATE_TEST_SUITE_P(
    Others, ProgramName,
    testing::Values(
        Named{{"node", "import.js"}, "node import.js", "import.js"},
        Named{{"/usr/bin/node", "--max-old-space-size=4096", "-r", "dotenv/config", "/app/dist/server.js"},
              "node server.js",
              "/app/dist/server.js"},
        Named{{"node", "/app/node_modules/.bin/ts-node", "job.ts"},
              "node ts-node job.ts",
              "/app/node_modules/.bin/ts-node"},
        Named{{"node /srv/app/import.js   "}, "node import.js", "/srv/app/import.js"},  // as pm2 titles it
        Named{{"node", "-e", "setInterval(()=>{},9)"}, "node -e", ""},
        Named{{"python3", "job.py"}, "python3 job.py", "job.py"},
        Named{{"python3.11", "-uB", "-W", "ignore", "/srv/job.py"}, "python3.11 job.py", "/srv/job.py"},
        Named{{"python3", "-m", "app.worker"}, "python3 -m app.worker", ""},
        Named{{"python3", "-Im", "app.worker"}, "python3 -m app.worker", ""},
        Named{{"python3", "manage.py", "runserver"}, "python3 manage.py runserver", "manage.py"},
        Named{{"/usr/bin/python3", "/usr/bin/celery", "-A", "x", "worker"}, "python3 celery x", "/usr/bin/celery"},
        Named{{"perl", "-w", "-I", "lib", "-MDBI", "sync.pl"}, "perl sync.pl", "sync.pl"},
        Named{{"ruby", "-rjson", "-Ilib", "import.rb"}, "ruby import.rb", "import.rb"},
        Named{{"java", "-Xmx2g", "-cp", "a.jar:b.jar", "-Dx=y", "com.example.Import"},
              "java com.example.Import",
              "com.example.Import"},
        Named{{"java", "-Xmx2g", "-jar", "/opt/app.jar"}, "java app.jar", "/opt/app.jar"},
        Named{{"bash", "-x", "backup.sh"}, "bash backup.sh", "backup.sh"},
        Named{{"sh", "-c", "php a.php; php b.php"}, "sh -c", ""}, Named{{"-bash"}, "bash", ""},
        Named{{"bash", "-o", "pipefail", "/x/y.sh"}, "bash y.sh", "/x/y.sh"},
        Named{{"/usr/bin/mariadb", "-u", "root"}, "mariadb", ""}, Named{{"/usr/sbin/mysqld"}, "mysqld", ""},
        Named{{"./build/bin/tidegate", "serve", "-c", "x.toml"}, "tidegate serve", ""},
        Named{{"tidegate", "-c", "x.toml", "serve"}, "tidegate serve", ""},
        Named{{"nginx: worker process"}, "nginx: worker process", ""}, Named{{}, "comm", ""},
        Named{{"", ""}, "comm", ""}, Named{{"\b", "", ""}, "comm", ""}));

constexpr const char* kSecret = "s3cret-Wort";

class Passwords : public testing::TestWithParam<Words> {};

TEST_P(Passwords, AreBlotted) {
    for (const auto* before : {"app", "php", "/usr/bin/mysql", "node"}) {
        Words words = GetParam();
        if (std::string_view(before) != "app") words.insert(words.begin(), before);
        const auto line = read_command_line(words, "x");
        for (const auto& text : {line.text, line.name, line.script}) EXPECT_THAT(text, Not(HasSubstr("s3cret")));
    }
}

INSTANTIATE_TEST_SUITE_P(
    InFlags, Passwords,
    testing::Values(Words{"mysql", "-u", "root", std::string("-p") + kSecret},
                    Words{"mariadb", std::string("-BNp") + kSecret, "app"},
                    Words{"x", std::string("--password=") + kSecret}, Words{"x", "--password", kSecret},
                    Words{"x", "--db-pass", kSecret}, Words{"x", std::string("--DB_PASSWORD=") + kSecret},
                    Words{"import.php", std::string("password=") + kSecret}, Words{"set", "password", kSecret},
                    Words{"sshpass", "-p", kSecret, "ssh", "h"}, Words{"redis-cli", "-a", kSecret},
                    Words{"curl", "-u", std::string("app:") + kSecret}, Words{"curl", std::string("-uapp:") + kSecret},
                    Words{"x", std::string("--api-key=") + kSecret}, Words{"x", "--access-token", kSecret},
                    Words{"x", "--password", std::string("-") + kSecret}, Words{"pt-kill", "-p", kSecret},
                    Words{"x", std::string("MYSQL_PWD=") + kSecret}));

INSTANTIATE_TEST_SUITE_P(
    InAddresses, Passwords,
    testing::Values(Words{"x", std::string("mysql://app:") + kSecret + "@db:3306/shop"},
                    Words{"x", std::string("--url=mysql://app:") + kSecret + "@@db/shop"},
                    Words{"x", std::string("mysql://:") + kSecret + "/+@db"},
                    Words{"x", std::string("app:") + kSecret + "@tcp(127.0.0.1:3306)/shop"},
                    Words{"x", std::string("mysql:host=db;dbname=s;password=") + kSecret + ";charset=utf8"},
                    Words{"x", std::string("jdbc:mysql://db/s?user=a&password=") + kSecret},
                    Words{"x", std::string(R"({"user": "a", "password": "my )") + kSecret + "\"}"}));

INSTANTIATE_TEST_SUITE_P(
    InText, Passwords,
    testing::Values(Words{"mysql", "-e", std::string("ALTER USER a IDENTIFIED BY '") + kSecret + "'"},
                    Words{"mysql", "-e", std::string("SET PASSWORD FOR a@b = '") + kSecret + "'"},
                    Words{"mysql", "-e", std::string("SET PASSWORD = PASSWORD('") + kSecret + "')"},
                    Words{"php", "-r", std::string("new mysqli('db', 'app', '") + kSecret + "');"},
                    Words{"php", std::string("-rnew mysqli('db', 'app', '") + kSecret + "');"},
                    Words{"python3", "-c", std::string("connect('db', 'app', '") + kSecret + "')"},
                    Words{"perl", "-we", std::string("DBI->connect('dbi', 'app', '") + kSecret + "')"},
                    Words{"sh", "-c", std::string("mysqldump -uroot -p") + kSecret + " shop | gzip > shop.gz"},
                    Words{"bash", "-lc", std::string("DB_PASSWORD='my ") + kSecret + "' php worker.php"},
                    Words{"ssh", "db", std::string("sh -c 'mysql -p") + kSecret + " shop'"},
                    Words{"sh", "-c", std::string("su -c \"mysql --password '") + kSecret + "'\" db"},
                    Words{std::string("node import.js --password ") + kSecret},
                    Words{std::string("node -e connect('app', '") + kSecret + "')"},
                    Words{"sh", "-c", std::string("mysql -e \"ALTER USER a IDENTIFIED BY '") + kSecret + "'\""}));

TEST(CommandLineText, KeepsWhatIsNoPassword) {
    const auto text = [](Words words) { return read_command_line(std::move(words), "").text; };
    EXPECT_EQ(text({"/usr/bin/php", "-d", "memory_limit=1G", "worker.php", "-p8080", "--queue=mails"}),
              "/usr/bin/php -d memory_limit=1G worker.php -p8080 --queue=mails");
    EXPECT_EQ(text({"sh", "-c", "cd /srv && mysqldump -uroot -pX shop | gzip"}),
              "sh -c cd /srv && mysqldump -uroot -p*** shop | gzip");
    EXPECT_EQ(text({"node", "import.js", "mysql://app:X@db/shop"}), "node import.js mysql://app:***@db/shop");
    EXPECT_EQ(text({"/usr/sbin/mariadbd", "--datadir=/var/lib/mysql", "--port=3306", "--extra-port=3307"}),
              "/usr/sbin/mariadbd --datadir=/var/lib/mysql --port=3306 --extra-port=3307");
    EXPECT_EQ(text({"php", "-r", "x"}), "php -r ...");
}

TEST(CommandLineText, IsFitForATerminalAndForJson) {
    const auto line = read_command_line({"\x1B[2Jevil\n\xC2\x9B", "\xFF\xFE", std::string(5000, 'x')}, "");
    EXPECT_THAT(line.text, Not(HasSubstr("\x1B")));
    EXPECT_THAT(line.text, Not(HasSubstr("\n")));
    EXPECT_THAT(line.text, Not(HasSubstr("\x9B")));
    EXPECT_THAT(line.text, HasSubstr("??"));
    EXPECT_EQ(line.text.size(), kCommandKept);
    EXPECT_EQ(printable("Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x90\xAC"), "Z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x90\xAC");
    EXPECT_EQ(printable("\xED\xA0\x80\xE0\x80\x80\xC3"), "???????");
    EXPECT_EQ(shortened("Z\xC3\xBCrich", 5), "Z...");
}

}  // namespace
}  // namespace tidegate::watch
