#include "protocol/execute.h"

#include "protocol/command.h"
#include "protocol/frame.h"

namespace tidegate::protocol {

namespace {

constexpr std::size_t kIdAt = 1;
constexpr std::size_t kIdSize = 4;
constexpr std::size_t kFixed = 10;  // command, number, flags, iterations

std::size_t bound_offset(std::uint16_t parameters) {
    return kFixed + (std::size_t{parameters} + 7) / 8;
}

}  // namespace

std::optional<std::uint32_t> statement_id(Bytes payload) {
    if (payload.size() < kIdAt + kIdSize) return std::nullopt;
    return Reader(payload.subspan(kIdAt)).u32();
}

void set_statement_id(MutableBytes payload, std::uint32_t id) {
    for (std::size_t i = 0; i < kIdSize; ++i) payload[kIdAt + i] = static_cast<std::byte>(id >> (8 * i));
}

void write_statement_close(std::uint32_t id, MutableBytes out) {
    write_header(out, {.length = kStatementClose - kHeaderSize, .sequence = 0});
    out[kHeaderSize] = static_cast<std::byte>(Command::stmt_close);
    set_statement_id(out.subspan(kHeaderSize), id);
}

void write_statement_close(std::uint32_t id, std::vector<std::byte>& out) {
    const std::size_t at = out.size();
    out.resize(at + kStatementClose);
    write_statement_close(id, MutableBytes(out).subspan(at));
}

std::size_t execute_head_size(std::uint16_t parameters) {
    return parameters == 0 ? kFixed : bound_offset(parameters) + 1 + 2 * std::size_t{parameters};
}

std::optional<ExecuteHead> read_execute(Bytes payload, std::uint16_t parameters) {
    if (payload.size() < kFixed) return std::nullopt;
    if (parameters == 0) return ExecuteHead{};
    const std::size_t at = bound_offset(parameters);
    if (payload.size() <= at) return std::nullopt;
    if (payload[at] == std::byte{0}) return ExecuteHead{.bound_at = at};
    const std::size_t size = 1 + 2 * std::size_t{parameters};
    if (payload.size() < at + size) return std::nullopt;
    return ExecuteHead{.bound_at = at, .bound_size = size};
}

void fill_in_types(MutableBytes payload, const ExecuteHead& head, Bytes types) {
    for (std::size_t at = 1; at + 1 < head.bound_size; at += 2) {
        const std::size_t parameter = at / 2;
        const bool null = (static_cast<unsigned>(payload[kFixed + parameter / 8]) >> (parameter % 8) & 1U) != 0;
        if (!null) continue;
        payload[head.bound_at + at] = types[at];
        payload[head.bound_at + at + 1] = types[at + 1];
    }
}

}  // namespace tidegate::protocol
