#include "cli/demo/private_server.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <mysql.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include "cli/demo/interrupt.h"

namespace tidegate::demo {
namespace {

using namespace std::chrono_literals;

struct CloseHandle {
    void operator()(MYSQL* handle) const { mysql_close(handle); }
    void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

bool exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

Result<std::string> find_program(const std::string& wanted) {
    if (!wanted.empty()) {
        if (access(wanted.c_str(), X_OK) == 0) return wanted;
        return fail(fmt::format("{} is not a program that can be started", wanted));
    }
    const char* path = std::getenv("PATH");
    std::string folders =
        fmt::format("{}:/usr/sbin:/usr/local/sbin:/usr/libexec:/usr/local/mysql/bin:", path != nullptr ? path : "");
    for (std::size_t at = 0, end = 0; (end = folders.find(':', at)) != std::string::npos; at = end + 1) {
        auto candidate = folders.substr(at, end - at) + "/mariadbd";
        if (candidate.front() == '/' && candidate != "/mariadbd" && access(candidate.c_str(), X_OK) == 0)
            return candidate;
    }
    return fail(
        "there is no mariadbd on this machine; install it (Debian and Ubuntu: apt install mariadb-server-core; Fedora: "
        "dnf install mariadb-server) or name one with --server-program");
}

// The folder with the scripts that make the system tables: Debian's, or beside the program.
std::string share_folder(const std::string& program) {
    std::vector<std::string> roots{"/usr", "/usr/local"};
    if (const auto slash = program.rfind('/', program.rfind('/') - 1); slash != std::string::npos && slash > 0) {
        roots.insert(roots.begin(), program.substr(0, slash));
    }
    for (const auto& root : roots) {
        for (const char* name : {"/share/mariadb", "/share/mysql", "/share"}) {
            for (const char* stem : {"/mariadb_system_tables.sql", "/mysql_system_tables.sql"}) {
                if (exists(root + name + stem)) return root + name;
            }
        }
    }
    return {};
}

std::string read_all(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

Result<std::string> random_password() {
    std::array<unsigned char, 16> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        return fail("the system gives no random bytes");
    }
    std::string text;
    for (const auto b : bytes) text += fmt::format("{:02x}", b);
    return text;
}

std::vector<std::string> common_options(const Workplace& workplace, const std::string& program) {
    std::vector<std::string> options{program, "--no-defaults", "--datadir=" + workplace.file("data"),
                                     // Never the host's: a MariaDB that starts removes the temporary tables that it
                                     // finds there, and another server, whose they were, crashes.
                                     "--tmpdir=" + workplace.file("tmp"), "--innodb-buffer-pool-size=32M",
                                     "--innodb-log-file-size=16M", "--performance-schema=OFF", "--skip-log-bin"};
    if (getuid() == 0) options.emplace_back("--user=root");  // it refuses to run as root unless told to
    return options;
}

std::string first_statements(const std::string& password) {
    return fmt::format(
        "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');\n"
        "FLUSH PRIVILEGES;\n"
        "ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('{0}');\n"
        "CREATE USER monitor@'127.0.0.1' IDENTIFIED VIA mysql_native_password USING PASSWORD('{0}');\n"
        "GRANT PROCESS, CONNECTION ADMIN, REPLICATION CLIENT ON *.* TO monitor@'127.0.0.1';\n"
        "GRANT SELECT ON mysql.* TO monitor@'127.0.0.1';\n"
        "CREATE USER shop@'127.0.0.1' IDENTIFIED VIA mysql_native_password USING PASSWORD('{0}');\n"
        "CREATE DATABASE shop;\n"
        "GRANT ALL ON shop.* TO shop@'127.0.0.1';\n"
        "CREATE TABLE shop.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, client INT NOT NULL, phase INT NOT NULL,"
        " KEY (client)) ENGINE=InnoDB;\n",
        password);
}

}  // namespace

std::uint16_t free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool fine = fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (fd >= 0) close(fd);
    return fine ? ntohs(address.sin_port) : std::uint16_t{0};
}

Result<PrivateServer> PrivateServer::start(const Workplace& workplace, const std::string& wanted) {
    const auto program = find_program(wanted);
    if (!program) return std::unexpected(program.error());
    PrivateServer server;
    auto password = random_password();
    if (!password) return std::unexpected(password.error());
    server.password_ = std::move(*password);
    if (auto made = server.initialise(workplace, *program); !made) return std::unexpected(made.error());
    if (auto up = server.launch(workplace, *program); !up) return std::unexpected(up.error());
    return server;
}

// The system tables, as mariadb-install-db makes them, without what a demo does not look at (help, time zones).
Result<void> PrivateServer::initialise(const Workplace& workplace, const std::string& program) {
    const auto share = share_folder(program);
    if (share.empty()) {
        return fail(fmt::format("{} is there, but not its mariadb_system_tables.sql; reinstall the server", program));
    }
    std::string script =
        "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n";
    for (const char* name : {"system_tables.sql", "system_tables_data.sql"}) {
        const auto named = fmt::format("{}/mariadb_{}", share, name);
        script += read_all(exists(named) ? named : fmt::format("{}/mysql_{}", share, name));
    }
    for (const char* folder : {"data", "tmp"}) {
        if (mkdir(workplace.file(folder).c_str(), 0700) != 0)
            return fail(fmt::format("cannot make the server's folder {}", workplace.file(folder)));
    }
    if (auto written = write_file(workplace.file("bootstrap.sql"), script); !written) return written;
    if (auto written = write_file(workplace.file("init.sql"), first_statements(password_)); !written) return written;

    Program bootstrap{common_options(workplace, program), workplace.folder(), workplace.file("bootstrap.sql"),
                      workplace.file("bootstrap.log")};
    bootstrap.command.insert(bootstrap.command.end(),
                             {"--bootstrap", "--enforce-storage-engine=", "--lc-messages-dir=" + share});
    auto child = Child::start(bootstrap);
    if (!child) return std::unexpected(child.error());
    if (!wait_for(60s, [&] { return !child->running(); })) return fail("the server's data folder was not made in 60 s");
    if (child->exit_code() != 0) return fail("the server's data folder could not be made:\n" + child->last_words());
    return {};
}

Result<void> PrivateServer::launch(const Workplace& workplace, const std::string& program) {
    socket_ = workplace.file("server.sock");
    const auto share = share_folder(program);
    constexpr int kTries = 3;  // somebody may take the port between the choice and the start
    for (int i = 0; i < kTries && interrupted() == 0; ++i) {
        port_ = free_port();
        auto options = common_options(workplace, program);
        // The listen backlog is the one setting that is not the default: at its 80 (for 151 connections) most of a
        // thousand would not be refused but hang there until they give up, which shows less and takes ten seconds.
        options.insert(
            options.end(),
            {"--bind-address=127.0.0.1", fmt::format("--port={}", port_), "--socket=" + socket_,
             "--pid-file=" + workplace.file("server.pid"), "--init-file=" + workplace.file("init.sql"),
             "--skip-name-resolve", "--back-log=1024", "--skip-ssl", fmt::format("--max-connections={}", kServerLimit),
             "--innodb-flush-log-at-trx-commit=2", "--lc-messages-dir=" + share});
        auto child = Child::start({std::move(options), workplace.folder(), "", workplace.file("server.log")});
        if (!child) return std::unexpected(child.error());
        child_ = std::move(*child);
        const bool answers = wait_for(60s, [&] {
            if (!child_.running()) return true;
            auto answer = ask("SELECT VERSION()", 0);
            if (answer) version_ = std::move(*answer);
            return !version_.empty();
        });
        if (answers && child_.running()) return {};
        if (child_.running()) break;
    }
    return fail("the server did not start:\n" + child_.last_words());
}

Result<std::string> PrivateServer::ask(const std::string& statement, unsigned column) {
    const std::unique_ptr<MYSQL, CloseHandle> handle(mysql_init(nullptr));
    const unsigned limit = 10;
    mysql_options(handle.get(), MYSQL_OPT_CONNECT_TIMEOUT, &limit);
    mysql_options(handle.get(), MYSQL_OPT_READ_TIMEOUT, &limit);
    if (mysql_real_connect(handle.get(), "localhost", "root", password_.c_str(), nullptr, 0, socket_.c_str(), 0) ==
            nullptr ||
        mysql_query(handle.get(), statement.c_str()) != 0) {
        return fail(fmt::format("the private server says: {}", mysql_error(handle.get())));
    }
    const std::unique_ptr<MYSQL_RES, CloseHandle> result(mysql_store_result(handle.get()));
    MYSQL_ROW row = result ? mysql_fetch_row(result.get()) : nullptr;
    return std::string(row != nullptr && row[column] != nullptr ? row[column] : "");
}

Result<void> PrivateServer::reset_peak() {
    // Newer servers keep the global figures unless they are named.
    if (ask("FLUSH GLOBAL STATUS", 0)) return {};
    auto done = ask("FLUSH STATUS", 0);
    if (!done) return std::unexpected(done.error());
    return {};
}

Result<unsigned> PrivateServer::peak() {
    auto text = ask("SHOW GLOBAL STATUS LIKE 'Max_used_connections'", 1);
    if (!text) return std::unexpected(text.error());
    return static_cast<unsigned>(std::strtoul(text->c_str(), nullptr, 10));
}

void PrivateServer::stop() {
    child_.stop(20s);
}

}  // namespace tidegate::demo
