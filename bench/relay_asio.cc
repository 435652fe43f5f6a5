// The same relay as Boost.Asio coroutines, to learn what Asio costs: `awaitable` on the concrete executor, completions
// as tuples (no exceptions), no locking (one thread), and reading and writing tried before waiting for readiness.
// Usage: relay_asio LISTEN_PORT SERVER_PORT [wait | read]
//   wait  waits for readiness without a buffer; all connections share one (what an idle client should cost)
//   read  hands each direction a buffer of its own to async_read_some
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Task = asio::awaitable<void, Executor>;
constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> use_tuple{asio::use_awaitable_t<Executor>{}};

std::array<char, 65536> shared_buffer;

struct Pair {
    explicit Pair(Socket from) : client(std::move(from)), server(client.get_executor()) {}
    Socket client;
    Socket server;
    void close() {
        error_code ignored;
        client.close(ignored);
        server.close(ignored);
    }
};

bool blocked(const error_code& error) {
    return error == asio::error::would_block || error == asio::error::try_again;
}

// Sends what the socket takes at once; what it does not take moves into the coroutine and waits there.
Task relay_waiting(std::shared_ptr<Pair> pair, Socket& from, Socket& to) {
    for (;;) {
        error_code error;
        const std::size_t n = from.read_some(asio::buffer(shared_buffer), error);
        if (blocked(error)) {
            auto [failed] = co_await from.async_wait(Socket::wait_read, use_tuple);
            if (failed) break;
            continue;
        }
        if (error) break;
        std::size_t sent = to.write_some(asio::buffer(shared_buffer, n), error);
        if (error && !blocked(error)) break;
        if (sent < n) {
            const std::string rest(shared_buffer.data() + sent, n - sent);
            auto [failed, written] = co_await asio::async_write(to, asio::buffer(rest), use_tuple);
            if (failed) break;
        }
        if (n < shared_buffer.size()) {  // drained, as in the floor: waiting is cheaper than another read
            auto [failed] = co_await from.async_wait(Socket::wait_read, use_tuple);
            if (failed) break;
        }
    }
    pair->close();
}

Task relay_reading(std::shared_ptr<Pair> pair, Socket& from, Socket& to) {
    std::array<char, 16384> buffer;
    for (;;) {
        auto [failed, n] = co_await from.async_read_some(asio::buffer(buffer), use_tuple);
        if (failed) break;
        error_code error;
        const std::size_t sent = to.write_some(asio::buffer(buffer.data(), n), error);
        if (error && !blocked(error)) break;
        if (sent < n) {
            auto [broken, written] =
                co_await asio::async_write(to, asio::buffer(buffer.data() + sent, n - sent), use_tuple);
            if (broken) break;
        }
    }
    pair->close();
}

Task serve(Acceptor& acceptor, tcp::endpoint server, bool waiting) {
    for (;;) {
        auto [failed, socket] = co_await acceptor.async_accept(use_tuple);
        if (failed) continue;
        auto pair = std::make_shared<Pair>(Socket(std::move(socket)));
        error_code error;
        pair->server.connect(server, error);
        if (error) continue;
        for (Socket* s : {&pair->client, &pair->server}) {
            s->set_option(tcp::no_delay(true), error);
            s->non_blocking(true, error);
        }
        auto* run = waiting ? relay_waiting : relay_reading;
        asio::co_spawn(acceptor.get_executor(), run(pair, pair->client, pair->server), asio::detached);
        asio::co_spawn(acceptor.get_executor(), run(pair, pair->server, pair->client), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return std::fprintf(stderr, "usage: relay_asio LISTEN_PORT SERVER_PORT [wait | read]\n"), 64;
    const bool waiting = argc < 4 || std::strcmp(argv[3], "read") != 0;
    const auto port = [&](int i) { return static_cast<unsigned short>(std::atoi(argv[i])); };
    asio::io_context loop(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
    Acceptor acceptor(loop.get_executor(), tcp::endpoint(asio::ip::address_v4::loopback(), port(1)));
    acceptor.listen(4096);
    asio::co_spawn(loop.get_executor(),
                   serve(acceptor, tcp::endpoint(asio::ip::address_v4::loopback(), port(2)), waiting), asio::detached);
    loop.run();
    return 0;
}
