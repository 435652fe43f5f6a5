#include "api/server.h"

#include <fmt/core.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <thread>

#include "config/values.h"

namespace tidegate::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;
using AnyStream = beast::basic_stream<asio::generic::stream_protocol>;  // over TCP and over the control socket alike

constexpr std::uint32_t kHeaderLimit = 8 * 1024;
constexpr std::uint64_t kBodyLimit = 16 * 1024;  // a statement for the server; nothing else needs one
constexpr std::size_t kMostConnections = 256;
constexpr auto kPatience = 15s;  // for a whole request, the pause before it included, and for taking an answer

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

using HttpResponse = http::response<http::string_body>;

HttpResponse to_http(const Response& from, unsigned version, bool keep_alive) {
    HttpResponse response(static_cast<http::status>(from.status), version);
    response.set(http::field::content_type, beast::string_view(from.content_type.data(), from.content_type.size()));
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    if (!from.allow.empty()) response.set(http::field::allow, std::string(from.allow));
    if (!from.authenticate.empty()) response.set(http::field::www_authenticate, std::string(from.authenticate));
    response.body() = from.body;
    response.keep_alive(keep_alive);
    response.prepare_payload();
    return response;
}

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

// What to say to a request that could not be read; 0: nothing, the client is gone or was too slow.
unsigned status_of(const beast::error_code& error) {
    if (error == http::error::header_limit) return 431;
    if (error == http::error::body_limit) return 413;
    if (error == http::error::end_of_stream || error == http::error::partial_message) return 0;
    return error.category() == make_error_code(http::error::bad_method).category() ? 400 : 0;
}

// Whoever reaches the control socket past its mode: by the folder's owner's doing, or with rights of its own.
bool is_trusted(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace

struct Server::Impl {
    Secret token;
    Sources sources;
    std::size_t connections = 0;  // the thread's
    asio::io_context loop{1};
    tcp::acceptor acceptor{loop};
    local::acceptor control{loop};
    std::optional<config::Endpoint> bound;
    std::thread thread;
    asio::thread_pool waiters{1};  // for what waits for the server; goes before the loop

    [[nodiscard]] Result<void> bind(const config::Endpoint& endpoint);
    void run();
    template <class Acceptor>
    asio::awaitable<void> accept(Acceptor& from);
    asio::awaitable<void> serve(asio::generic::stream_protocol::socket socket, bool trusted);
    asio::awaitable<bool> serve_one(AnyStream& stream, beast::flat_buffer& buffer, bool trusted);
};

Result<void> Server::Impl::bind(const config::Endpoint& endpoint) {
    beast::error_code error;
    const auto wrong = [&](std::string_view what) {
        return fail(fmt::format("the API cannot {} {}: {}", what, endpoint.text(), error.message()));
    };
    tcp::resolver resolver(loop);
    const auto found = resolver.resolve(endpoint.host, std::to_string(endpoint.port), tcp::resolver::passive, error);
    if (error) return wrong("find the address");
    const tcp::endpoint address = found.begin()->endpoint();
    acceptor.open(address.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(address, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return wrong("listen on");
    bound = endpoint;
    bound->port = acceptor.local_endpoint(error).port();
    return {};
}

// Signals are the gate's business: none is delivered here.
void Server::Impl::run() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (acceptor.is_open()) asio::co_spawn(loop, accept(acceptor), asio::detached);
    if (control.is_open()) asio::co_spawn(loop, accept(control), asio::detached);
    thread = std::thread([this] { loop.run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

template <class Acceptor>
asio::awaitable<void> Server::Impl::accept(Acceptor& from) {
    constexpr bool kControl = std::is_same_v<Acceptor, local::acceptor>;
    asio::steady_timer pause(loop);
    for (;;) {
        auto [error, socket] = co_await from.async_accept(kToken);
        if (error == asio::error::operation_aborted) co_return;
        if (error) {  // out of descriptors: they come back
            pause.expires_after(200ms);
            co_await pause.async_wait(kToken);
            continue;
        }
        if (kControl && !is_trusted(socket.native_handle())) continue;
        if (connections < kMostConnections)
            asio::co_spawn(loop, serve(asio::generic::stream_protocol::socket(std::move(socket)), kControl),
                           asio::detached);
    }
}

asio::awaitable<void> Server::Impl::serve(asio::generic::stream_protocol::socket socket, bool trusted) {
    struct Counted {
        std::size_t& count;
        explicit Counted(std::size_t& c) : count(c) { ++count; }
        ~Counted() { --count; }
    };
    const Counted counted(connections);
    AnyStream stream(std::move(socket));
    beast::flat_buffer buffer;
    bool more = true;
    while (more) more = co_await serve_one(stream, buffer, trusted);
    beast::error_code ignored;
    stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
}

// One request and its answer; false: the connection is at its end.
asio::awaitable<bool> Server::Impl::serve_one(AnyStream& stream, beast::flat_buffer& buffer, bool trusted) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kHeaderLimit);
    parser.body_limit(kBodyLimit);
    stream.expires_after(kPatience);
    const auto [read_error, read] = co_await http::async_read(stream, buffer, parser, kToken);

    HttpResponse response;
    bool head = false;
    if (read_error) {
        const unsigned status = status_of(read_error);
        if (status == 0) co_return false;
        response = to_http(
            error_response(status, fmt::format("the request was not understood: {}", read_error.message())), 11, false);
    } else {
        const auto& request = parser.get();
        head = request.method() == http::verb::head;
        const Request asked{.method = view(request.method_string()),
                            .target = view(request.target()),
                            .authorization = view(request[http::field::authorization]),
                            .trusted = trusted,
                            .body = request.body()};
        const bool waits = takes_time(asked);
        if (waits) co_await asio::post(asio::bind_executor(waiters, asio::use_awaitable));
        response = to_http(handle(asked, token, sources), request.version(), request.keep_alive());
        if (waits) co_await asio::post(asio::bind_executor(loop, asio::use_awaitable));
    }

    stream.expires_after(kPatience);
    beast::error_code write_error;
    if (head) {
        http::response_serializer<http::string_body> serializer(response);
        const auto [error, written] = co_await http::async_write_header(stream, serializer, kToken);
        write_error = error;
    } else {
        const auto [error, written] = co_await http::async_write(stream, response, kToken);
        write_error = error;
    }
    co_return !write_error && response.keep_alive();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
    impl_->loop.stop();
    impl_->thread.join();
    beast::error_code none;
    if (impl_->control.is_open()) ::unlink(impl_->control.local_endpoint(none).path().c_str());
}

std::optional<config::Endpoint> Server::address() const {
    return impl_->bound;
}

Result<std::unique_ptr<Server>> Server::start(const config::Api& config, Sources sources, int control) {
    auto impl = std::make_unique<Impl>();
    if (control >= 0) impl->control.assign(local(), control);
    impl->token = config.token.clone();
    impl->sources = std::move(sources);
    if (config.address) {
        if (!config::is_loopback(config.address->host) && config.token.empty()) {
            return fail(
                fmt::format("the API at {} could be read from other machines; give it a `token_file` in [api], or keep "
                            "it on 127.0.0.1",
                            config.address->text()));
        }
        if (auto bound = impl->bind(*config.address); !bound) return std::unexpected(bound.error());
    }
    impl->run();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace tidegate::api
