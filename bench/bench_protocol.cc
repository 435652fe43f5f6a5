// What the protocol layer costs per reply and per login: the walk is on the path of every statement, next to a system
// call of some microseconds.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "protocol/handshake.h"
#include "protocol/packets.h"
#include "protocol/reply_walker.h"

namespace {

using namespace tidegate::protocol;  // NOLINT(google-build-using-namespace)

void packet(Writer& w, std::uint8_t& sequence, std::string_view payload) {
    const std::size_t at = w.begin_packet(sequence++);
    w.text(payload);
    w.end_packet(at);
}

// A result of text rows, as a server with DEPRECATE_EOF sends it.
std::vector<std::byte> result(int columns, int rows) {
    std::vector<std::byte> out;
    Writer w(out);
    std::uint8_t sequence = 1;
    packet(w, sequence, std::string(1, static_cast<char>(columns)));
    const std::string definition = std::string("\3def\6sbtest\7sbtest1\7sbtest1\1c\1c\x0c\x2d\0", 33) +
                                   std::string("\xe0\1\0\0\xfe\1\0\0\0\0", 10);
    for (int i = 0; i < columns; ++i) packet(w, sequence, definition);
    std::string row;
    for (int i = 0; i < columns; ++i) row += '\x28' + std::string(40, 'x');
    for (int i = 0; i < rows; ++i) packet(w, sequence, row);
    packet(w, sequence, std::string("\xfe\0\0\2\0\0\0", 7));
    return out;
}

void walk(benchmark::State& state, std::vector<std::byte> reply, const ReplyWalker::Conversion& conversion) {
    std::vector<std::byte> chunk(reply.size());
    ReplyWalker walker;
    for (auto _ : state) {
        chunk = reply;  // a conversion changes it in place
        walker.begin(ReplyShape::result, conversion);
        std::size_t at = 0;
        while (true) {
            const auto step = walker.step(std::span(chunk).subspan(at));
            at += step.consumed;
            if (step.event != ReplyWalker::Event::part) break;
        }
        if (at != chunk.size()) state.SkipWithError("the reply was not walked to its end");
        benchmark::DoNotOptimize(walker.outcome());
    }
}

constexpr ReplyWalker::Conversion kModern{};
constexpr ReplyWalker::Conversion kLegacy{.client_deprecate_eof = false, .client_session_track = false};

void copy_only(benchmark::State& state) {
    const auto reply = result(4, 10);
    std::vector<std::byte> chunk(reply.size());
    for (auto _ : state) {
        chunk = reply;
        benchmark::DoNotOptimize(chunk.data());
    }
}
BENCHMARK(copy_only);  // what the others spend on their input

void point_select(benchmark::State& state) {
    walk(state, result(1, 1), kModern);
}
void ten_rows(benchmark::State& state) {
    walk(state, result(4, 10), kModern);
}
void ten_rows_for_a_legacy_client(benchmark::State& state) {
    walk(state, result(4, 10), kLegacy);
}
void thousand_rows(benchmark::State& state) {
    walk(state, result(4, 1000), kModern);
}
void thousand_rows_for_a_legacy_client(benchmark::State& state) {
    walk(state, result(4, 1000), kLegacy);
}
BENCHMARK(point_select);
BENCHMARK(ten_rows);
BENCHMARK(ten_rows_for_a_legacy_client);
BENCHMARK(thousand_rows);
BENCHMARK(thousand_rows_for_a_legacy_client);

void handshake_response(benchmark::State& state) {
    std::vector<std::byte> pairs;
    Writer w(pairs);
    for (const char* text : {"_client_name", "libmariadb", "_os", "Linux", "_pid", "12345", "program_name", "php"}) {
        w.lenenc_text(text);
    }
    const std::vector<std::byte> secret(32, std::byte{7});
    std::vector<std::byte> out;
    write_handshake_response(
        {.capabilities = capability::protocol_41 | capability::plugin_auth | capability::plugin_auth_lenenc_data |
                         capability::connect_with_db | capability::connect_attrs,
         .max_packet = 1 << 24,
         .charset = 45,
         .user = "app",
         .auth_response = secret,
         .schema = "shop",
         .auth_plugin = "caching_sha2_password",
         .attributes = pairs},
        1, out);
    const Bytes payload = Bytes(out).subspan(4);
    for (auto _ : state) {
        auto response = parse_handshake_response(payload);
        benchmark::DoNotOptimize(response);
    }
}
BENCHMARK(handshake_response);

void greeting(benchmark::State& state) {
    Greeting greeting{.server_version = "10.11.6-MariaDB", .connection_id = 7, .capabilities = ~0U};
    greeting.auth_plugin = "caching_sha2_password";
    std::vector<std::byte> out;
    for (auto _ : state) {
        out.clear();
        write_greeting(greeting, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(greeting);

}  // namespace

BENCHMARK_MAIN();
