// A connection to a real server, over MariaDB Connector/C. Blocks its thread for as long as the settings' time-outs let
// it.
#pragma once

#include <mysql.h>
#include <tidegate/options.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "client/connection.h"
#include "client/mysql_result.h"
#include "client/mysql_statement.h"
#include "client/session_mark.h"
#include "config/config.h"
#include "sql/mode.h"

namespace tidegate::client {

struct ServerSettings {
    std::string host;
    std::uint16_t port = 3306;
    std::string socket;
    std::string user;
    Secret password;
    std::string schema;
    Tls tls = Tls::preferred;
    std::string tls_ca;
    Duration connect_timeout = 5s;
    Duration read_timeout = 30s;
    Duration write_timeout = 30s;
    std::size_t statement_cache = 32;
    [[nodiscard]] std::string text() const;  // "db.internal:3306", or the socket's path
};

[[nodiscard]] Tls tls_of(config::TlsMode mode);

// Once before the first connection. At the process's end Connector/C and OpenSSL are cleaned up when what was made
// after this call is gone: connections that live in a static object need it before that object.
void initialise_library();

class MysqlConnection final : public Connection {
public:
    // What a connection holds for as long as it is open: a slot, or nothing.
    using Permit = std::shared_ptr<void>;

    // Logs in. Errors: what Connector/C and the server say, after "cannot connect to ..".
    static Result<std::unique_ptr<Connection>> open(const ServerSettings& settings, Permit permit = {});

    MysqlConnection(const ServerSettings& settings, Permit permit);
    ~MysqlConnection() override;

    Result<Rows> query(std::string_view sql) override;
    Result<Rows> execute(std::string_view sql, std::span<const Parameter> values) override;
    Result<void> start_stream(std::string_view sql, std::span<const Parameter> values) override;
    [[nodiscard]] bool streaming() const override { return reader_ != nullptr; }
    [[nodiscard]] std::span<const Column> stream_columns() const override { return stream_.columns(); }
    Result<bool> fetch(std::vector<Value>& row) override;
    Result<void> ping() override;
    Result<void> reset() override;
    void abort() override;
    [[nodiscard]] bool lost() const override { return lost_; }
    [[nodiscard]] bool quiet() const override;
    [[nodiscard]] bool dirty() const override;
    [[nodiscard]] bool beyond_reset() const override { return mark_.beyond_reset(); }
    [[nodiscard]] std::string version() const override;
    [[nodiscard]] std::uint64_t id() const override;

private:
    struct Free {
        void operator()(MYSQL* mysql) const { mysql_close(mysql); }
    };

    Result<void> connect();
    void set_options();
    // Sends a statement; gives a reader of its result, or nullptr when it has none.
    Result<std::unique_ptr<ResultReader>> send_text(std::string_view sql);
    Result<std::unique_ptr<ResultReader>> send_prepared(std::string_view sql, std::span<const Parameter> values);
    Result<Rows> read_all(Result<std::unique_ptr<ResultReader>> reader);
    void set_effect(RowsBuilder& into) const;
    // Notes that the connection is lost, if that is what the error says.
    std::unexpected<Error> failed(Error error);
    [[nodiscard]] sql::Mode mode() const;

    const ServerSettings& settings_;
    Permit permit_;  // goes after the connection
    std::unique_ptr<MYSQL, Free> mysql_;
    StatementCache statements_;
    SessionMark mark_;
    MYSQL_STMT* current_ = nullptr;         // the statement whose result is read, nullptr: of the text protocol
    std::unique_ptr<ResultReader> reader_;  // of a stream
    RowsBuilder stream_;
    bool lost_ = false;
};

}  // namespace tidegate::client
