// A raw MySQL client of the load: one connection as a state machine over a non-blocking socket, a few hundred bytes
// each, so that one thread drives fifteen thousand. It logs in with mysql_native_password, over TLS where wanted, and
// follows replies only as far as to know where they end. Its driver owns it, tells it of readiness and is told of
// events.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::bench {

using Clock = std::chrono::steady_clock;

struct Account {
    std::string user;
    std::string password;
    std::string schema;
    SSL_CTX* tls = nullptr;  // null: plain
};

enum class Event {
    none,
    ready,   // logged in, or a reply has come whole: send something or close
    failed,  // refused, an error reply, or the connection is lost: error() says which
};

class Client {
public:
    explicit Client(const Account& account) : account_(account) {}
    ~Client() { close(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] bool connect(std::uint16_t port, int epoll);
    void close();

    // Takes what the socket has.
    [[nodiscard]] Event on_readable();

    void query(std::string_view text);
    void prepare(std::string_view text);
    void execute(std::uint32_t argument);  // of the prepared statement, whose one parameter it is
    void quit();

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] unsigned error() const { return error_; }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] std::uint64_t received() const { return received_; }

    Clock::time_point since;  // the driver's: when what is under way began
    int step = 0;             // the driver's

private:
    enum class State { closed, greeting, tls, login, reply_head, columns, columns_end, rows, prepared, idle };
    [[nodiscard]] Event fail(unsigned number, std::string_view message);
    [[nodiscard]] Event on_packet(std::string_view payload);
    [[nodiscard]] Event on_greeting(std::string_view payload);
    [[nodiscard]] Event on_login(std::string_view payload);
    [[nodiscard]] Event on_reply_head(std::string_view payload);
    [[nodiscard]] Event on_error(std::string_view payload);
    [[nodiscard]] Event walk(std::string_view bytes);
    [[nodiscard]] Event shake_hands();
    void send_login();
    void send_packet(std::string_view payload, std::uint8_t sequence);
    [[nodiscard]] long receive(char* to, std::size_t size);

    const Account& account_;
    int fd_ = -1;
    SSL* ssl_ = nullptr;
    State state_ = State::closed;
    bool short_eof_ = false;  // DEPRECATE_EOF was agreed upon
    std::uint8_t sequence_ = 0;
    std::uint64_t packets_left_ = 0;  // column definitions, or what follows a prepared statement
    std::uint32_t statement_ = 0;
    std::string unread_;  // the beginning of a packet
    std::string nonce_;
    unsigned error_ = 0;
    std::string message_;
    std::uint64_t received_ = 0;
};

}  // namespace tidegate::bench
