#include "load_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tidegate::bench {
namespace {

constexpr std::uint32_t kLongPassword = 1;
constexpr std::uint32_t kConnectWithDb = 8;
constexpr std::uint32_t kProtocol41 = 512;
constexpr std::uint32_t kTls = 2048;
constexpr std::uint32_t kTransactions = 8192;
constexpr std::uint32_t kSecureConnection = 32768;
constexpr std::uint32_t kPluginAuth = 1U << 19U;
constexpr std::uint32_t kDeprecateEof = 1U << 24U;
constexpr unsigned kLost = 2013;

std::array<char, 65536> buffer;  // one thread

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
    return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : std::uint8_t{0};
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, unsigned size) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(byte_at(bytes, at + i)) << (8 * i);
    return value;
}

void put(std::string& to, std::uint32_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) to.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}

using Digest = std::array<unsigned char, SHA_DIGEST_LENGTH>;
Digest sha1(std::string_view text) {
    Digest digest;
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}
std::string_view view(const Digest& d) {
    return {reinterpret_cast<const char*>(d.data()), d.size()};
}

// SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password)))
std::string native_response(const std::string& password, const std::string& nonce) {
    const Digest one = sha1(password);
    const Digest two = sha1(view(one));
    const Digest mask = sha1(nonce + std::string(view(two)));
    std::string response;
    for (std::size_t i = 0; i < one.size(); ++i) response.push_back(static_cast<char>(one[i] ^ mask[i]));
    return response;
}

}  // namespace

bool Client::connect(std::uint16_t port, int epoll) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return false;
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    error_ = 0;
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
        close();
        return false;
    }
    // The server speaks first: readable is all that is ever waited for.
    epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event);
    state_ = State::greeting;
    return true;
}

void Client::close() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    ssl_ = nullptr;
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    state_ = State::closed;
    unread_ = {};
}

Event Client::fail(unsigned number, std::string_view message) {
    error_ = number;
    message_ = message;
    return Event::failed;
}

long Client::receive(char* to, std::size_t size) {
    if (ssl_ == nullptr) return recv(fd_, to, size, 0);
    const int n = SSL_read(ssl_, to, static_cast<int>(size));
    if (n > 0) return n;
    const int error = SSL_get_error(ssl_, n);
    errno = EAGAIN;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

Event Client::on_readable() {
    if (state_ == State::tls) return shake_hands();
    for (;;) {
        const long n = receive(buffer.data(), buffer.size());
        if (n < 0 && errno == EAGAIN) return Event::none;
        if (n <= 0) return fail(kLost, n == 0 ? "closed by the other side" : std::strerror(errno));
        received_ += static_cast<std::uint64_t>(n);
        const auto size = static_cast<std::size_t>(n);
        const Event event = walk({buffer.data(), size});
        // With TLS there may be more that epoll does not know of.
        if (event != Event::none || (ssl_ == nullptr && size < buffer.size())) return event;
    }
}

// Follows whole packets; keeps the beginning of one.
Event Client::walk(std::string_view bytes) {
    std::string joined;
    if (!unread_.empty()) {
        joined = std::move(unread_);
        joined.append(bytes);
        bytes = joined;
        unread_.clear();
    }
    Event event = Event::none;
    while (bytes.size() >= 4 && event == Event::none) {
        const std::size_t length = number_at(bytes, 0, 3);
        if (bytes.size() < 4 + length) break;
        sequence_ = byte_at(bytes, 3);
        event = on_packet(bytes.substr(4, length));
        bytes.remove_prefix(4 + length);
    }
    if (!bytes.empty() && event != Event::failed) unread_.assign(bytes);
    return event;
}

Event Client::on_packet(std::string_view payload) {
    constexpr std::size_t kLongestEnd = 0xFFFFFF;
    const std::uint8_t head = byte_at(payload, 0);
    switch (state_) {
        case State::greeting:
            return on_greeting(payload);
        case State::login:
            return on_login(payload);
        case State::reply_head:
            return on_reply_head(payload);
        case State::columns:
            if (--packets_left_ == 0) state_ = short_eof_ ? State::rows : State::columns_end;
            return Event::none;
        case State::columns_end:
            state_ = State::rows;
            return Event::none;
        case State::rows:
            if (head == 0xFF) return on_error(payload);
            if (head != 0xFE || payload.size() >= kLongestEnd) return Event::none;
            state_ = State::idle;
            return Event::ready;
        case State::prepared:
            if (--packets_left_ > 0) return Event::none;
            state_ = State::idle;
            return Event::ready;
        case State::closed:
        case State::tls:
        case State::idle:
            return head == 0xFF ? on_error(payload) : fail(kLost, "a packet that nobody asked for");
    }
    return Event::none;
}

Event Client::on_error(std::string_view payload) {
    const bool has_state = byte_at(payload, 3) == '#';
    return fail(number_at(payload, 1, 2), payload.substr(std::min<std::size_t>(payload.size(), has_state ? 9 : 3)));
}

Event Client::on_greeting(std::string_view payload) {
    if (byte_at(payload, 0) == 0xFF) return on_error(payload);
    const auto end = payload.find('\0', 1);
    if (end == std::string_view::npos || payload.size() < end + 44) return fail(kLost, "not a MySQL greeting");
    const std::size_t at = end + 1;
    nonce_ = std::string(payload.substr(at + 4, 8)) + std::string(payload.substr(at + 31, 12));
    const std::uint32_t capabilities = number_at(payload, at + 13, 2) | number_at(payload, at + 18, 2) << 16U;
    short_eof_ = (capabilities & kDeprecateEof) != 0;
    if (account_.tls == nullptr) {
        send_login();
        return Event::none;
    }
    if ((capabilities & kTls) == 0) return fail(2026, "no TLS is offered");
    std::string request;
    put(request,
        kLongPassword | kProtocol41 | kTls | kTransactions | kSecureConnection | kPluginAuth |
            (short_eof_ ? kDeprecateEof : 0) | (account_.schema.empty() ? 0 : kConnectWithDb),
        4);
    put(request, 1U << 24U, 4);
    put(request, 45, 1);
    request.append(23, '\0');
    send_packet(request, 1);
    ssl_ = SSL_new(account_.tls);
    SSL_set_fd(ssl_, fd_);
    state_ = State::tls;
    return shake_hands();
}

Event Client::shake_hands() {
    const int done = SSL_connect(ssl_);
    if (done == 1) {
        sequence_ = 1;
        send_login();
        return Event::none;
    }
    const int error = SSL_get_error(ssl_, done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Event::none;
    return fail(2026, "the TLS handshake failed");
}

void Client::send_login() {
    std::string login;
    put(login,
        kLongPassword | kProtocol41 | kTransactions | kSecureConnection | kPluginAuth |
            (account_.tls != nullptr ? kTls : 0) | (short_eof_ ? kDeprecateEof : 0) |
            (account_.schema.empty() ? 0 : kConnectWithDb),
        4);
    put(login, 1U << 24U, 4);
    put(login, 45, 1);
    login.append(23, '\0');
    login.append(account_.user).push_back('\0');
    login.push_back(SHA_DIGEST_LENGTH);
    login += native_response(account_.password, nonce_);
    if (!account_.schema.empty()) login.append(account_.schema).push_back('\0');
    login.append("mysql_native_password").push_back('\0');
    state_ = State::login;
    send_packet(login, static_cast<std::uint8_t>(sequence_ + 1));
}

Event Client::on_login(std::string_view payload) {
    switch (byte_at(payload, 0)) {
        case 0x00:
            state_ = State::idle;
            return Event::ready;
        case 0xFF:
            return on_error(payload);
        case 0xFE:
            break;
        default:
            return fail(kLost, "a plug-in that the load does not know");
    }
    const auto end = payload.find('\0', 1);
    if (end == std::string_view::npos || payload.substr(1, end - 1) != "mysql_native_password") {
        return fail(kLost, "switched to a plug-in that the load does not know");
    }
    nonce_ = payload.substr(end + 1, 20);
    send_packet(native_response(account_.password, nonce_), static_cast<std::uint8_t>(sequence_ + 1));
    return Event::none;
}

Event Client::on_reply_head(std::string_view payload) {
    const std::uint8_t head = byte_at(payload, 0);
    if (head == 0xFF) return on_error(payload);
    if (statement_ == 0 && step == -1 && head == 0 && payload.size() == 12) {  // COM_STMT_PREPARE's
        statement_ = number_at(payload, 1, 4);
        const std::uint32_t columns = number_at(payload, 5, 2);
        const std::uint32_t parameters = number_at(payload, 7, 2);
        const unsigned ends = short_eof_ ? 0 : 1;
        packets_left_ = (columns > 0 ? columns + ends : 0) + (parameters > 0 ? parameters + ends : 0);
        state_ = packets_left_ > 0 ? State::prepared : State::idle;
        return packets_left_ > 0 ? Event::none : Event::ready;
    }
    if (head == 0) {
        state_ = State::idle;
        return Event::ready;
    }
    packets_left_ = head;  // the load asks for fewer than 251 columns
    state_ = State::columns;
    return Event::none;
}

void Client::send_packet(std::string_view payload, std::uint8_t sequence) {
    std::string packet;
    packet.reserve(payload.size() + 4);
    put(packet, static_cast<std::uint32_t>(payload.size()), 3);
    packet.push_back(static_cast<char>(sequence));
    packet.append(payload);
    // A statement of the load fits into any socket's buffer; what does not is seen as a lost connection.
    if (ssl_ != nullptr && state_ != State::tls) {
        (void)SSL_write(ssl_, packet.data(), static_cast<int>(packet.size()));
    } else {
        (void)send(fd_, packet.data(), packet.size(), MSG_NOSIGNAL);
    }
}

void Client::query(std::string_view text) {
    std::string command("\x03");
    command += text;
    state_ = State::reply_head;
    send_packet(command, 0);
}

void Client::prepare(std::string_view text) {
    std::string command("\x16");
    command += text;
    step = -1;
    state_ = State::reply_head;
    send_packet(command, 0);
}

void Client::execute(std::uint32_t argument) {
    std::string command("\x17");
    put(command, statement_, 4);
    put(command, 0, 1);  // no cursor
    put(command, 1, 4);  // iterations
    put(command, 0, 1);  // no NULL
    put(command, 1, 1);  // types follow
    put(command, 3, 2);  // LONG
    put(command, argument, 4);
    state_ = State::reply_head;
    send_packet(command, 0);
}

void Client::quit() {
    send_packet(std::string_view("\x01", 1), 0);
    close();
}

}  // namespace tidegate::bench
