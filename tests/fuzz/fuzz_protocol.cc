// Every parser of the connection phase and of closing packets, on any bytes: none may read past them, and what was read
// must survive being written and read again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "protocol/execute.h"
#include "protocol/frame.h"
#include "protocol/handshake.h"
#include "protocol/packets.h"
#include "protocol/processlist.h"

namespace {

using namespace tidegate::protocol;  // NOLINT(google-build-using-namespace)

void check(bool ok) {
    if (!ok) std::abort();
}

bool same(Bytes a, Bytes b) {
    return std::ranges::equal(a, b);
}

void greeting(Bytes in) {
    const auto first = parse_greeting(in);
    if (!first || first->auth_plugin.find('\0') != std::string::npos) return;
    std::vector<std::byte> out;
    write_greeting(*first, out);
    const auto again = parse_greeting(Bytes(out).subspan(kHeaderSize));
    check(again && again->server_version == first->server_version && again->nonce == first->nonce);
    check((first->capabilities & capability::plugin_auth) == 0 || again->auth_plugin == first->auth_plugin);
}

void response(Bytes in) {
    (void)is_ssl_request(in);
    const auto first = parse_handshake_response(in);
    if (!first) return;
    (void)attribute(first->attributes, "program_name");
    std::vector<std::byte> out;
    write_handshake_response(*first, 1, out);
    const auto again = parse_handshake_response(Bytes(out).subspan(kHeaderSize));
    check(again && again->user == first->user && again->schema == first->schema);
    check(again->auth_plugin == first->auth_plugin && same(again->auth_response, first->auth_response));
    check(same(again->attributes, first->attributes));
}

// As the server's reply to SHOW PROCESSLIST: only notes are added, and where there are none every byte stays.
void processes(Bytes in) {
    for (const bool deprecate_eof : {false, true}) {
        check(same(with_process_notes(in, deprecate_eof, [](auto, auto) { return std::string(); }), in));
        check(with_process_notes(in, deprecate_eof, [](auto, auto) { return std::string("/* x */"); }).size() >=
              in.size());
    }
}

void closing_packets(Bytes in) {
    for (const bool tracked : {false, true}) {
        const auto ok = parse_ok(in, tracked);
        if (!ok) continue;
        TrackerReader trackers(ok->session_state);
        while (trackers.next()) {
        }
        std::vector<std::byte> out;
        write_ok(1, *ok, out);
        const auto again = parse_ok(Bytes(out).subspan(kHeaderSize), tracked);
        check(again && again->affected_rows == ok->affected_rows && again->last_insert_id == ok->last_insert_id);
        check(again->warnings == ok->warnings && again->info == ok->info);
    }
    (void)parse_eof(in);
    if (const auto err = parse_err(in)) {
        std::vector<std::byte> out;
        write_err(1, err->to_error(), out);
        const auto again = parse_err(Bytes(out).subspan(kHeaderSize));
        check(again && again->code == err->code && err->message.starts_with(again->message));
    }
}

void execute(Bytes in) {
    if (in.size() < 2) return;
    const auto parameters =
        static_cast<std::uint16_t>(static_cast<unsigned>(in[0]) | static_cast<unsigned>(in[1]) << 8);
    std::vector<std::byte> payload(in.begin() + 2, in.end());
    if (const auto id = statement_id(payload)) {
        set_statement_id(payload, ~*id);
        check(statement_id(payload) == ~*id);
    }
    const auto head = read_execute(payload, parameters);
    check(head.has_value() || payload.size() < execute_head_size(parameters));
    if (!head || head->bound_size == 0) return;
    check(head->bound_at + head->bound_size == execute_head_size(parameters));
    const std::vector<std::byte> types(head->bound_size, std::byte{7});
    fill_in_types(payload, *head, types);
    check(read_execute(payload, parameters) == head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes in = std::as_bytes(std::span(data, size));
    greeting(in);
    response(in);
    closing_packets(in);
    processes(in);
    execute(in);
    TrackerReader trackers(in);
    while (trackers.next()) {
    }
    if (size >= sizeof(std::uint32_t)) {
        (void)parse_change_user(in.subspan(sizeof(std::uint32_t)), peek_capabilities(in));
    }
    return 0;
}
