#include "proxy/server_connection.h"

#include "net/buffer.h"
#include "protocol/command.h"
#include "protocol/frame.h"
#include "protocol/packets.h"

namespace tidegate::proxy {

using protocol::ReplyWalker;

namespace {
constexpr Duration kGoodBye = 1s;  // for the server to close its end
}

net::Task<Result<Answer>> ServerConnection::exchange(std::vector<std::byte> packets, protocol::ReplyShape shape) {
    const auto lost = [] { return fail(2013, "08S01", "Lost connection to the server"); };
    const bool sent = co_await stream_->write_all(packets);
    if (!sent) co_return lost();

    ReplyWalker::Conversion verbatim;
    verbatim.server_deprecate_eof = verbatim.client_deprecate_eof = has(protocol::capability::deprecate_eof);
    verbatim.server_session_track = verbatim.client_session_track = has(protocol::capability::session_track);
    verbatim.client_local_files = false;
    ReplyWalker walker;
    walker.begin(shape, verbatim);

    Answer answer;
    answer.extended_metadata = has(protocol::capability::extended_metadata);
    net::Buffer buffer = net::Buffer::large();
    ReplyWalker::Event event = ReplyWalker::Event::more;
    while (event == ReplyWalker::Event::more || event == ReplyWalker::Event::part) {
        if (event == ReplyWalker::Event::more) {
            buffer.compact();
            if (buffer.room().empty()) co_return lost();
            const net::IoResult got = co_await stream_->read(buffer.room());
            if (got.status != net::IoStatus::ok) co_return lost();
            buffer.commit(got.bytes);
        }
        const ReplyWalker::Step step = walker.step(buffer.filled());
        const auto bytes = buffer.filled().first(step.forward);
        answer.bytes.insert(answer.bytes.end(), bytes.begin(), bytes.end());
        buffer.consume(step.consumed);
        event = step.event;
    }
    if (event != ReplyWalker::Event::done) co_return lost();
    answer.outcome = walker.outcome();
    if (answer.outcome.error) {
        const protocol::Header header = protocol::read_header(answer.bytes);
        if (answer.bytes.size() >= protocol::kHeaderSize + header.length) {
            const auto err =
                protocol::parse_err(protocol::Bytes(answer.bytes).subspan(protocol::kHeaderSize, header.length));
            if (err) answer.error = err->to_error();
        }
    }
    co_return answer;
}

net::Task<Result<Answer>> ServerConnection::query(std::string_view sql) {
    std::vector<std::byte> packet;
    protocol::write_command(static_cast<std::uint8_t>(protocol::Command::query), sql, packet);
    return exchange(std::move(packet), protocol::ReplyShape::result);
}

net::Task<void> ServerConnection::quit() {
    std::vector<std::byte> packet;
    protocol::write_command(static_cast<std::uint8_t>(protocol::Command::quit), "", packet);
    const iovec part{packet.data(), packet.size()};
    (void)stream_->write_some({&part, 1});
    co_await wait_for_end();
}

net::Task<void> ServerConnection::wait_for_end() {
    net::Loop& loop = stream_->socket().loop();
    net::Deadline limit(loop, stream_->socket());
    limit.arm(loop.now() + kGoodBye);
    net::IoResult got;
    while (got.status == net::IoStatus::ok) {
        net::Buffer sink = net::Buffer::large();
        got = co_await stream_->read(sink.room());
    }
}

namespace {

// The packets of an answer, one after the other; an empty one at the end.
class Packets {
public:
    explicit Packets(protocol::Bytes bytes) : left_(bytes) {}
    protocol::Bytes next() {
        if (left_.size() < protocol::kHeaderSize) return {};
        const std::size_t length = protocol::read_header(left_).length;
        if (left_.size() < protocol::kHeaderSize + length) return {};
        const protocol::Bytes payload = left_.subspan(protocol::kHeaderSize, length);
        left_ = left_.subspan(protocol::kHeaderSize + length);
        return payload;
    }

private:
    protocol::Bytes left_;
};

}  // namespace

std::vector<Answer::Column> Answer::columns() const {
    constexpr std::uint16_t kUnsigned = 0x20;
    std::vector<Column> all;
    if (!outcome.had_rows) return all;
    Packets packets(bytes);
    protocol::Reader count(packets.next());
    const std::uint64_t columns = count.lenenc();
    for (std::uint64_t i = 0; i < columns; ++i) {
        protocol::Reader definition(packets.next());
        for (int before = 0; before < 4; ++before) (void)definition.lenenc_bytes();  // catalog, schema, table, its name
        Column column{.name = protocol::as_text(definition.lenenc_bytes())};
        (void)definition.lenenc_bytes();  // the name in its table
        if (extended_metadata) (void)definition.lenenc_bytes();
        definition.skip(1 + 2);  // how much follows, the character set
        column.length = definition.u32();
        column.type = definition.u8();
        column.is_unsigned = (definition.u16() & kUnsigned) != 0;
        if (!definition.ok()) break;
        all.push_back(column);
    }
    return all;
}

std::vector<std::vector<std::optional<std::string_view>>> Answer::rows(bool deprecate_eof) const {
    std::vector<std::vector<std::optional<std::string_view>>> all;
    if (!outcome.had_rows) return all;
    Packets packets(bytes);
    protocol::Reader count(packets.next());
    const std::uint64_t columns = count.lenenc();
    for (std::uint64_t i = 0; i < columns + (deprecate_eof ? 0 : 1); ++i) (void)packets.next();
    for (std::uint64_t row = 0; row < outcome.rows; ++row) {
        protocol::Bytes payload = packets.next();
        auto& values = all.emplace_back();
        for (std::uint64_t i = 0; i < columns && !payload.empty(); ++i) {
            if (payload.front() == std::byte{0xFB}) {
                values.emplace_back();
                payload = payload.subspan(1);
                continue;
            }
            protocol::Reader reader(payload);
            const protocol::Bytes value = reader.lenenc_bytes();
            if (!reader.ok()) return all;
            values.emplace_back(protocol::as_text(value));
            payload = payload.last(reader.left());
        }
        values.resize(columns);
    }
    return all;
}

}  // namespace tidegate::proxy
