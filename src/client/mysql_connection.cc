#include "client/mysql_connection.h"

#include <dlfcn.h>
#include <errno.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <mutex>

#include "sql/scanner.h"

namespace tidegate::client {
namespace {

// Connector/C counts in whole seconds; 0 is off.
unsigned whole_seconds(Duration d) {
    return static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(d).count());
}

// A connection that ends while TLS is being set up is no fault of TLS: the words are the system's, with its number
// behind them in parentheses, or OpenSSL's for a connection that was cut.
bool ended_under_tls(std::string_view message) {
    if (message.contains("unexpected eof")) return true;
    const auto open = message.find_last_of('(');
    if (open == std::string_view::npos || !message.ends_with(')')) return false;
    const auto number = message.substr(open + 1, message.size() - open - 2);
    return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
}

// What a server says before TLS is set up, above all that it is full, Connector/C wraps in an error of its own (2002,
// 2026):
// ".. cannot be verified: 1040 - Too many connections". Nobody vouches for it, as for no refusal at the door.
Error refusal_before_tls(Error error) {
    constexpr std::string_view kBefore = "cannot be verified: ";
    constexpr std::string_view kBetween = " - ";
    const std::string_view message = error.message;
    const auto at = message.find(kBefore);
    const auto between = at == std::string_view::npos ? at : message.find(kBetween, at);
    if (between == std::string_view::npos) return error;
    const auto number = message.substr(at + kBefore.size(), between - at - kBefore.size());
    std::uint16_t code = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), code).ec != std::errc{} || code == 0)
        return error;
    return {code, code == 1040 ? "08004" : "HY000", std::string(message.substr(between + kBetween.size()))};
}

}  // namespace

void initialise_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Connector/C would set OpenSSL up with its first connection under TLS, in whatever thread that is.
        using Init = int (*)(std::uint64_t, const void*);
        if (const auto init = reinterpret_cast<Init>(::dlsym(RTLD_DEFAULT, "OPENSSL_init_ssl"))) init(0, nullptr);
        mysql_server_init(0, nullptr, nullptr);
    });
}

std::string ServerSettings::text() const {
    if (!socket.empty()) return socket;
    return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::unique_ptr<Connection>> MysqlConnection::open(const ServerSettings& settings, Permit permit) {
    initialise_library();
    auto connection = std::make_unique<MysqlConnection>(settings, std::move(permit));
    if (auto connected = connection->connect(); !connected) return std::unexpected(std::move(connected.error()));
    return connection;
}

Tls tls_of(config::TlsMode mode) {
    switch (mode) {
        case config::TlsMode::disabled:
            return Tls::disabled;
        case config::TlsMode::preferred:
            return Tls::preferred;
        case config::TlsMode::required:
            return Tls::required;
        case config::TlsMode::verify_ca:
            return Tls::verify_ca;
        case config::TlsMode::verify_identity:
            break;
    }
    return Tls::verify_identity;
}

MysqlConnection::MysqlConnection(const ServerSettings& settings, Permit permit)
    : settings_(settings),
      permit_(std::move(permit)),
      mysql_(mysql_init(nullptr)),
      statements_(mysql_.get(), settings.statement_cache) {
    if (!mysql_) throw std::bad_alloc();
}

// In order: what still reads, what is prepared, the connection.
MysqlConnection::~MysqlConnection() {
    if (streaming()) abort();
    reader_.reset();
    statements_.clear();
}

void MysqlConnection::set_options() {
    auto* mysql = mysql_.get();
    const unsigned connect_timeout = whole_seconds(settings_.connect_timeout);
    const unsigned read_timeout = whole_seconds(settings_.read_timeout);
    const unsigned write_timeout = whole_seconds(settings_.write_timeout);
    const unsigned no_local_files = 0;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read_timeout);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &write_timeout);
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", program_invocation_short_name);

    const my_bool encrypt = settings_.tls != Tls::disabled ? 1 : 0;
    const my_bool verify = settings_.tls >= Tls::verify_ca ? 1 : 0;
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &encrypt);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (encrypt != 0 && !settings_.tls_ca.empty()) mysql_options(mysql, MYSQL_OPT_SSL_CA, settings_.tls_ca.c_str());
}

Result<void> MysqlConnection::connect() {
    set_options();
    // Connector/C wants a string that ends with a zero; the copy is wiped at once.
    const auto password = settings_.password.bytes();
    std::vector<char> text(password.size() + 1);
    std::ranges::transform(password, text.begin(), [](std::byte byte) { return static_cast<char>(byte); });

    const bool unix_socket = !settings_.socket.empty();
    const auto* connected = mysql_real_connect(
        mysql_.get(), unix_socket ? nullptr : settings_.host.c_str(), settings_.user.c_str(), text.data(),
        settings_.schema.empty() ? nullptr : settings_.schema.c_str(), unix_socket ? 0 : settings_.port,
        unix_socket ? settings_.socket.c_str() : nullptr, CLIENT_MULTI_RESULTS);
    wipe(std::as_writable_bytes(std::span(text)));
    if (connected != nullptr) {
        if (settings_.tls < Tls::required || unix_socket || mysql_get_ssl_cipher(mysql_.get()) != nullptr) return {};
        return fail(2026, "HY000", fmt::format("cannot connect to {}: the server offers no TLS", settings_.text()));
    }
    auto error = refusal_before_tls(error_of(mysql_.get()));
    lost_ = true;
    if (error.code == 2026 && ended_under_tls(error.message)) error.code = error_code::lost;
    error.message = fmt::format("cannot connect to {} as {}: {}", settings_.text(),
                                settings_.user.empty() ? "nobody" : settings_.user, error.message);
    return std::unexpected(std::move(error));
}

std::unexpected<Error> MysqlConnection::failed(Error error) {
    // What Connector/C itself says (2000 to 2999) is about the connection, but for the number of parameters. Under TLS
    // it calls a connection's end an error of TLS; programs look for 2006 and 2013.
    const bool connectors_own = error.code >= 2000 && error.code < 3000 && error.code != error_code::parameters;
    if (connectors_own && !is_connection_lost(error)) {
        error.message = fmt::format("the connection to {} ended: {} ({})", settings_.text(), error.message, error.code);
        error.code = error_code::lost;
    }
    if (is_connection_lost(error)) lost_ = true;
    return std::unexpected(std::move(error));
}

sql::Mode MysqlConnection::mode() const {
    const bool mariadb = mariadb_connection(mysql_.get()) != 0;
    return {.dialect = mariadb ? sql::Dialect::mariadb : sql::Dialect::mysql};
}

Result<std::unique_ptr<ResultReader>> MysqlConnection::send_text(std::string_view sql) {
    mark_.sent(sql::scan(sql, mode()));
    current_ = nullptr;
    if (mysql_real_query(mysql_.get(), sql.data(), sql.size()) != 0) return failed(error_of(mysql_.get()));
    if (mysql_field_count(mysql_.get()) == 0) return nullptr;
    return TextReader::start(mysql_.get());
}

Result<std::unique_ptr<ResultReader>> MysqlConnection::send_prepared(std::string_view sql,
                                                                     std::span<const Parameter> values) {
    auto statement = statements_.prepare(sql);
    if (!statement) return failed(std::move(statement.error()));
    mark_.sent(sql::scan(sql, mode()));
    current_ = *statement;
    if (auto sent = execute_with(current_, values); !sent) return failed(std::move(sent.error()));
    if (mysql_stmt_field_count(current_) == 0) return nullptr;
    return BinaryReader::start(current_);
}

Result<Rows> MysqlConnection::read_all(Result<std::unique_ptr<ResultReader>> sent) {
    if (!sent) return std::unexpected(std::move(sent.error()));
    RowsBuilder rows;
    auto& reader = *sent;
    if (!reader) {
        set_effect(rows);
        return rows.take();
    }
    reader->add_columns(rows);
    for (;;) {
        auto more = reader->next(rows);
        if (!more) return failed(std::move(more.error()));
        if (!*more) break;
    }
    set_effect(rows);
    if (auto finished = reader->finish(); !finished) return failed(std::move(finished.error()));
    return rows.take();
}

void MysqlConnection::set_effect(RowsBuilder& into) const {
    const auto affected = current_ != nullptr ? mysql_stmt_affected_rows(current_) : mysql_affected_rows(mysql_.get());
    const auto id = current_ != nullptr ? mysql_stmt_insert_id(current_) : mysql_insert_id(mysql_.get());
    const auto columns = !into.columns().empty();
    into.set_effect(columns ? 0 : affected, id, mysql_warning_count(mysql_.get()));
}

Result<Rows> MysqlConnection::query(std::string_view sql) {
    return read_all(send_text(sql));
}

Result<Rows> MysqlConnection::execute(std::string_view sql, std::span<const Parameter> values) {
    return read_all(send_prepared(sql, values));
}

Result<void> MysqlConnection::start_stream(std::string_view sql, std::span<const Parameter> values) {
    auto reader = values.empty() ? send_text(sql) : send_prepared(sql, values);
    if (!reader) return std::unexpected(std::move(reader.error()));
    stream_ = {};
    reader_ = std::move(*reader);
    if (reader_) reader_->add_columns(stream_);
    return {};
}

Result<bool> MysqlConnection::fetch(std::vector<Value>& row) {
    if (!reader_) return false;
    stream_.begin_row();
    auto more = reader_->next(stream_);
    if (more && *more) {
        stream_.take_row(row);
        return true;
    }
    const auto reader = std::move(reader_);
    if (!more) return failed(std::move(more.error()));
    if (auto finished = reader->finish(); !finished) return failed(std::move(finished.error()));
    return false;
}

Result<void> MysqlConnection::ping() {
    if (mysql_ping(mysql_.get()) != 0) return failed(error_of(mysql_.get()));
    return {};
}

Result<void> MysqlConnection::reset() {
    statements_.clear();
    if (mysql_reset_connection(mysql_.get()) != 0) return failed(error_of(mysql_.get()));
    if (mark_.schema_changed()) {
        // There is no way back to no schema but a new connection.
        if (settings_.schema.empty()) return fail("the session has chosen a schema");
        if (mysql_select_db(mysql_.get(), settings_.schema.c_str()) != 0) return failed(error_of(mysql_.get()));
    }
    mark_.reset();
    return {};
}

void MysqlConnection::abort() {
    lost_ = true;
    if (const auto socket = mysql_get_socket(mysql_.get()); socket >= 0) ::shutdown(socket, SHUT_RDWR);
    permit_.reset();
}

bool MysqlConnection::quiet() const {
    pollfd socket{mysql_get_socket(mysql_.get()), POLLIN, 0};
    return socket.fd >= 0 && ::poll(&socket, 1, 0) == 0;
}

bool MysqlConnection::dirty() const {
    unsigned status = 0;
    mariadb_get_infov(mysql_.get(), MARIADB_CONNECTION_SERVER_STATUS, &status);
    return mark_.dirty() || (status & SERVER_STATUS_IN_TRANS) != 0 || (status & SERVER_STATUS_AUTOCOMMIT) == 0;
}

std::string MysqlConnection::version() const {
    return mysql_get_server_info(mysql_.get());
}

std::uint64_t MysqlConnection::id() const {
    return mysql_thread_id(mysql_.get());
}

}  // namespace tidegate::client
