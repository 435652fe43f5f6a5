// The API over real sockets: a server on a free port, and a client that speaks HTTP by hand.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "api/server.h"

namespace tidegate::api {
namespace {

using proxy::ServerState;
using proxy::Snapshot;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Snapshot busy_gate() {
    Snapshot s;
    s.version = "0.1.0";
    s.started = proxy::WallTime(1'700'000'000s);
    s.uptime = 90s;
    s.last_update = proxy::WallTime(1'700'000'090s + 25ms);
    s.server = {.address = "127.0.0.1:3306",
                .version = "10.11.19-MariaDB",
                .state = ServerState::up,
                .down_since = {},
                .last_error = "",
                .last_error_at = {},
                .monitored = true};
    s.limit = {.configured = {},
               .learnt = 97,
               .effective = 97,
               .reserve = 3,
               .max_connections = 151,
               .max_user_connections = 0,
               .others = 51,
               .closed_by_refusals = true};
    s.pool = {.max = 97,
              .open = 12,
              .active = 7,
              .idle = 5,
              .opening = 1,
              .closing = 0,
              .waiting = 3,
              .peak = 20,
              .granted = 1000,
              .waited = 40,
              .refused_clients = 2,
              .cancelled = 1};
    s.refused_1040 = 4;
    s.refused_1226 = 1;
    for (int i = 0; i < 100; ++i) s.waits.record(10ms);
    s.closed = {{"retired_idle", 6}};
    s.pins = {{"temporary_table", 2}};
    s.pinned_clients = 1;
    s.pinned = {{.name = "temporary_table", .clients = 1, .lasted = 90s},
                {.name = "handler", .clients = 0, .lasted = {}}};
    s.accounts.push_back({.name = "shop \"a\"", .mode = "transaction", .pool = s.pool, .clients = 9});
    return s;
}

// One connection to the API.
class Client {
public:
    explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) ADD_FAILURE() << "connect";
        const timeval patience{10, 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    }
    ~Client() { close(fd_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(const std::string& text) const {
        // A refused request may be answered and closed before all of it is sent.
        [[maybe_unused]] const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    }
    // Header and body of one answer.
    std::string answer(bool has_body = true) {
        while (!text_.contains("\r\n\r\n") && more()) continue;
        const auto header = std::min(text_.find("\r\n\r\n"), text_.size());
        std::size_t length = 0;
        if (const auto at = text_.find("Content-Length: "); has_body && at < header)
            length = std::stoul(text_.substr(at + 16));
        while (text_.size() < header + 4 + length && more()) continue;
        auto answer = text_.substr(0, header + 4 + length);
        text_.erase(0, answer.size());
        return answer;
    }
    [[nodiscard]] bool closed() { return text_.empty() && !more(); }
    std::string get(const std::string& path, const std::string& headers = "") {
        send("GET " + path + " HTTP/1.1\r\nHost: gate\r\n" + headers + "\r\n");
        return answer();
    }

private:
    bool more() {
        char buffer[4096];
        const auto got = recv(fd_, buffer, sizeof(buffer), 0);
        if (got <= 0) return false;
        text_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }
    int fd_;
    std::string text_;
};

class Api : public testing::Test {
protected:
    std::vector<slots::PoolView> pools;
    void start(std::string_view token = "") {
        config::Api config;
        config.address = config::Endpoint{"127.0.0.1", 0};
        config.token = Secret(token);
        auto started = Server::start(config, {.gate =
                                                  [this] {
                                                      ++asked;
                                                      return snapshot;
                                                  },
                                              .slots = [this] { return pools; }});
        ASSERT_TRUE(started) << started.error().message;
        server = std::move(*started);
        port = server->address()->port;
    }
    static nlohmann::json body(const std::string& answer) {
        return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4), nullptr, false);
    }

    Snapshot snapshot = busy_gate();  // changed only while no request is under way
    std::atomic<int> asked = 0;
    std::unique_ptr<Server> server;
    std::uint16_t port = 0;
};

TEST_F(Api, IsAliveWithoutAskingTheGate) {
    start();
    EXPECT_THAT(Client(port).get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(asked, 0);
}

TEST_F(Api, IsReadyWhileTheServerIsUpAndTheGateIsNotDraining) {
    start();
    Client client(port);
    EXPECT_THAT(client.get("/readyz"), StartsWith("HTTP/1.1 200 "));
    snapshot.draining = true;
    EXPECT_THAT(client.get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("draining")));
    snapshot.draining = false;
    snapshot.server.state = ServerState::down;
    snapshot.server.last_error = "connection refused";
    EXPECT_THAT(client.get("/readyz"),
                AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("cannot be reached: connection refused")));
    snapshot.server.state = ServerState::unknown;
    EXPECT_THAT(client.get("/readyz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(Api, GivesThePoolsFigures) {
    start();
    const auto answer = Client(port).get("/api/connection-pool-stats?pretty=1");
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/json"));
    const auto stats = body(answer);
    EXPECT_EQ(stats["max"], 97);
    EXPECT_EQ(stats["open"], 12);
    EXPECT_EQ(stats["active"], 7);
    EXPECT_EQ(stats["idle"], 5);
    EXPECT_EQ(stats["waiting"], 3);
    EXPECT_EQ(stats["peak"], 20);
    EXPECT_EQ(stats["waited"], 40);
    EXPECT_EQ(stats["refused_clients"], 2);
    EXPECT_EQ(stats["last_update"], "2023-11-14T22:14:50.025Z");
    EXPECT_EQ(stats["refused_by_server"]["total"], 5);
    EXPECT_EQ(stats["refused_by_server"]["1040"], 4);
    EXPECT_NEAR(stats["wait_seconds"]["p99"].get<double>(), 0.01, 0.0025);
    EXPECT_EQ(stats["limit"]["configured"], "auto");
    EXPECT_EQ(stats["limit"]["max_connections"], 151);
    EXPECT_EQ(stats["work"]["pins"]["temporary_table"], 2);
    EXPECT_EQ(stats["work"]["pinned_clients"], 1);
    EXPECT_EQ(stats["work"]["pinned"].dump(), R"({"temporary_table":{"clients":1,"seconds":90.0}})");
    EXPECT_EQ(stats["accounts"][0]["name"], "shop \"a\"");
    EXPECT_EQ(stats["accounts"][0]["clients"], 9);
}

TEST_F(Api, DescribesTheServer) {
    snapshot.server.state = ServerState::down;
    snapshot.server.down_since = proxy::WallTime(1'700'000'000s);
    start();
    const auto about = body(Client(port).get("/api/server"));
    EXPECT_EQ(about["state"], "down");
    EXPECT_EQ(about["down_since"], "2023-11-14T22:13:20.000Z");
    EXPECT_EQ(about["version"], "10.11.19-MariaDB");
    EXPECT_TRUE(about["last_error"].is_null());
    EXPECT_EQ(about["limit"]["effective"], 97);
}

TEST_F(Api, TakesWhateverBytesAServerCallsItself) {
    snapshot.server.version = "5.7-\xff\xfe";
    start();
    EXPECT_FALSE(body(Client(port).get("/api/server")).is_discarded());
}

TEST_F(Api, SpeaksPrometheus) {
    start();
    const auto page = Client(port).get("/metrics");
    EXPECT_THAT(page, HasSubstr("Content-Type: text/plain; version=0.0.4"));
    for (const auto* line :
         {"# TYPE tidegate_server_connections gauge\n", "tidegate_server_connections{state=\"active\"} 7\n",
          "tidegate_server_connections_limit 97\n", "# TYPE tidegate_leases_total counter\n",
          "tidegate_leases_total 1000\n", "tidegate_server_refusals_total{errno=\"1040\"} 4\n",
          "tidegate_wait_seconds_bucket{le=\"0.005\"} 0\n", "tidegate_wait_seconds_bucket{le=\"0.025\"} 100\n",
          "tidegate_wait_seconds_bucket{le=\"+Inf\"} 100\n", "tidegate_wait_seconds_count 100\n",
          "tidegate_account_clients_waiting{account=\"shop \\\"a\\\"\"} 3\n",
          "tidegate_pins_total{cause=\"temporary_table\"} 2\n", "# TYPE tidegate_pinned_seconds_total counter\n",
          "tidegate_pinned_seconds_total{cause=\"temporary_table\"} 90\n",
          "tidegate_clients_pinned{cause=\"handler\"} 0\n", "tidegate_server_up 1\n"}) {
        EXPECT_THAT(page, HasSubstr(line));
    }
}

TEST_F(Api, KeepsAConnectionForSeveralRequests) {
    start();
    Client client(port);
    for (int i = 0; i < 3; ++i) EXPECT_THAT(client.get("/healthz"), StartsWith("HTTP/1.1 200 "));
    client.send("GET /healthz HTTP/1.1\r\nHost: g\r\n\r\nGET /readyz HTTP/1.1\r\nHost: g\r\n\r\n");
    EXPECT_THAT(client.answer(), HasSubstr("alive"));
    EXPECT_THAT(client.answer(), HasSubstr("ready"));
    EXPECT_THAT(client.get("/healthz", "Connection: close\r\n"), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(client.closed());
}

TEST_F(Api, AnswersHeadWithoutABody) {
    start();
    Client client(port);
    client.send("HEAD /metrics HTTP/1.1\r\nHost: g\r\n\r\n");
    EXPECT_THAT(client.answer(false),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Length: "), Not(HasSubstr("# TYPE"))));
    EXPECT_THAT(client.get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Api, RefusesWhatItDoesNotHave) {
    start();
    Client client(port);
    const auto missing = client.get("/nothing");
    EXPECT_THAT(missing, StartsWith("HTTP/1.1 404 "));
    EXPECT_TRUE(body(missing)["error"].is_string());
    client.send("DELETE /metrics HTTP/1.1\r\nHost: g\r\n\r\n");
    const auto refused = client.answer();
    EXPECT_THAT(refused, AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD")));
    EXPECT_TRUE(body(refused)["error"].is_string());
}

TEST_F(Api, CutsOffOversizedAndGarbledRequests) {
    start();
    EXPECT_THAT(Client(port).get("/healthz", "X: " + std::string(9000, 'x') + "\r\n"), StartsWith("HTTP/1.1 431 "));
    Client body_client(port);
    body_client.send("POST /healthz HTTP/1.1\r\nHost: g\r\nContent-Length: 999999\r\n\r\n");
    EXPECT_THAT(body_client.answer(), StartsWith("HTTP/1.1 413 "));
    Client garbled(port);
    garbled.send("\x16\x03\x01 this is not HTTP\r\n\r\n");
    EXPECT_THAT(garbled.answer(), StartsWith("HTTP/1.1 400 "));
    EXPECT_TRUE(garbled.closed());
    EXPECT_THAT(Client(port).get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Api, AsksForTheTokenWhereThereIsOne) {
    start("sesame");
    Client client(port);
    EXPECT_THAT(client.get("/healthz"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(client.get("/readyz"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(client.get("/metrics"), AllOf(StartsWith("HTTP/1.1 401 "), HasSubstr("WWW-Authenticate: Bearer")));
    EXPECT_THAT(client.get("/nothing"), StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(client.get("/metrics", "Authorization: Bearer sesam\r\n"), StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(client.get("/metrics", "Authorization: Basic sesame\r\n"), StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(client.get("/metrics", "Authorization: bearer sesame\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Api, StopsWithClientsConnected) {
    start();
    Client idle(port);
    Client half(port);
    half.send("GET /hea");
    EXPECT_THAT(idle.get("/healthz"), StartsWith("HTTP/1.1 200 "));
    server.reset();
    EXPECT_TRUE(idle.closed());
    EXPECT_TRUE(half.closed());
}

TEST_F(Api, RefusesAnAddressThatIsTaken) {
    start();
    config::Api config;
    config.address = config::Endpoint{"127.0.0.1", port};
    const auto second = Server::start(config, {.gate = [] { return Snapshot{}; }});
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, AllOf(HasSubstr("cannot listen on 127.0.0.1:"), HasSubstr("in use")));
}

TEST_F(Api, RefusesOtherMachinesWithoutAToken) {
    config::Api config;
    config.address = config::Endpoint{"0.0.0.0", 0};
    const auto refused = Server::start(config, {.gate = [] { return Snapshot{}; }});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("token_file"));
}

}  // namespace
}  // namespace tidegate::api
