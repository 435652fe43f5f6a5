#include "cli/load_probe.h"

#include <fmt/core.h>
#include <mysql.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "cli/http_client.h"

namespace tidegate::cli {
namespace {

constexpr unsigned kTlsError = 2026;  // CR_SSL_CONNECTION_ERROR

bool is_refusal(unsigned error) {
    return error == 1040 || error == 1203 || error == 1226;
}

std::uint64_t number(const char* text) {
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
}

}  // namespace

// One connection to the server.
class LoadProbe::Server {
public:
    explicit Server(const config::Server& config) : config_(config) {}
    ~Server() { close(); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Look look() {
        if (handle_ == nullptr && !connect()) {
            if (is_refusal(error_)) return {.load = fleet::Load{.refused_us = true}, .error = {}};
            return {.load = {}, .error = sentence_};
        }
        fleet::Load load;
        if (read(load)) return {.load = load, .error = {}};
        Look failed{.load = {}, .error = mysql_error(handle_)};
        close();
        return failed;
    }

    void close() {
        if (handle_ != nullptr) mysql_close(std::exchange(handle_, nullptr));
    }

private:
    bool connect() {
        using config::TlsMode;
        if (config_.tls == TlsMode::disabled) return connect_with(false);
        if (connect_with(true)) return true;
        return config_.tls == TlsMode::preferred && error_ == kTlsError && connect_with(false);
    }

    bool connect_with(bool tls) {
        using config::TlsMode;
        handle_ = mysql_init(nullptr);
        const auto patience = static_cast<unsigned>(std::max(1.0, seconds(config_.connect_timeout)));
        mysql_options(handle_, MYSQL_OPT_CONNECT_TIMEOUT, &patience);
        mysql_options(handle_, MYSQL_OPT_READ_TIMEOUT, &patience);
        mysql_options(handle_, MYSQL_OPT_WRITE_TIMEOUT, &patience);
        const my_bool enforce = tls ? 1 : 0;
        const my_bool verify = config_.tls == TlsMode::verify_ca || config_.tls == TlsMode::verify_identity ? 1 : 0;
        mysql_options(handle_, MYSQL_OPT_SSL_ENFORCE, &enforce);
        mysql_options(handle_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
        if (!config_.ca.empty()) mysql_options(handle_, MYSQL_OPT_SSL_CA, config_.ca.c_str());
        mysql_options4(handle_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "tidegate run");
        const auto bytes = config_.password.bytes();
        std::string password(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        const char* socket = config_.socket.empty() ? nullptr : config_.socket.c_str();
        const bool connected = mysql_real_connect(handle_, config_.host.c_str(), config_.user.c_str(), password.c_str(),
                                                  nullptr, config_.port, socket, 0) != nullptr;
        wipe(std::as_writable_bytes(std::span(password)));
        if (connected) return true;
        error_ = mysql_errno(handle_);
        sentence_ = fmt::format("{}: {}", config_.text(), mysql_error(handle_));
        close();
        return false;
    }

    // Rows of two columns, or of more: the first as the name, or the column's number.
    template <class Row>
    bool query(const char* statement, Row&& row) {
        if (mysql_query(handle_, statement) != 0) return false;
        MYSQL_RES* result = mysql_store_result(handle_);
        if (result == nullptr) return false;
        while (MYSQL_ROW each = mysql_fetch_row(result)) row(each);
        mysql_free_result(result);
        return true;
    }

    // Of the server's limit and the account's own, the one that leaves less.
    bool read(fleet::Load& load) {
        std::map<std::string, std::uint64_t, std::less<>> status;
        std::uint64_t limit = 0;
        std::uint64_t of_account = 0;
        std::uint64_t account_limit = 0;
        const bool done = query(
                              "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', "
                              "'Connection_errors_max_connections')",
                              [&](MYSQL_ROW row) { status[row[0]] = number(row[1]); }) &&
                          query(
                              "SELECT @@global.max_connections, @@session.max_user_connections, (SELECT COUNT(*) FROM "
                              "information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1))",
                              [&](MYSQL_ROW row) {
                                  limit = number(row[0]);
                                  account_limit = number(row[1]);
                                  of_account = number(row[2]);
                              });
        if (!done) return false;
        std::uint64_t connected = status["Threads_connected"];
        load.refused = status["Connection_errors_max_connections"];
        const auto left = [](std::uint64_t most, std::uint64_t now) { return most > now ? most - now : 0; };
        if (account_limit != 0 && left(account_limit, of_account) < left(limit, connected)) {
            limit = account_limit;
            connected = of_account;
        }
        load.connected = static_cast<unsigned>(connected);
        load.limit = static_cast<unsigned>(limit);
        return true;
    }

    const config::Server& config_;
    MYSQL* handle_ = nullptr;
    unsigned error_ = 0;
    std::string sentence_;
};

LoadProbe::LoadProbe(LoadSource source, Duration interval, bool keep, std::function<void(Look)> seen)
    : source_(std::move(source)), interval_(interval), keep_(keep), seen_(std::move(seen)) {
    mysql_library_init(0, nullptr, nullptr);
    if (source_.server) server_ = std::make_unique<Server>(*source_.server);
    thread_ = std::thread([this] { run(); });
}

LoadProbe::~LoadProbe() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void LoadProbe::run() {
    mysql_thread_init();
    for (;;) {
        seen_(look());
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, interval_, [this] { return stopping_; })) break;
    }
    if (server_) server_->close();
    mysql_thread_end();
}

Look LoadProbe::look() {
    if (source_.api) return look_at_gate();
    Look look = server_->look();
    if (!keep_) server_->close();
    return look;
}

Look LoadProbe::look_at_gate() const {
    const auto answer = ask_api(*source_.api, "GET", "/api/connection-pool-stats", source_.token);
    if (!answer) return {.load = {}, .error = answer.error().message};
    const auto stats = nlohmann::json::parse(answer->body, nullptr, false);
    if (answer->status != 200 || !stats.is_object() || !stats.contains("max") || !stats.contains("active")) {
        return {.load = {}, .error = fmt::format("the gate's API answers with status {}", answer->status)};
    }
    fleet::Load load{.shared = true};
    load.limit = stats.value("max", 0U);
    load.connected = stats.value("active", 0U);
    load.waiting = stats.value("waiting", 0U);
    if (const auto refused = stats.find("refused_by_server"); refused != stats.end() && refused->is_object()) {
        load.refused = refused->value("total", std::uint64_t{0});
    }
    return {.load = load, .error = {}};
}

}  // namespace tidegate::cli
