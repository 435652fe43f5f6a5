// ReplyWalker: the packet that ends a result. It is read, and rewritten in place for what the client negotiated; it can
// only get shorter.
#include <array>
#include <cstring>

#include "protocol/reply_walker.h"

namespace tidegate::protocol {

namespace {

constexpr std::uint8_t kEof = 0xFE;
constexpr std::uint8_t kErr = 0xFF;
constexpr std::size_t kEofPayload = 5;
constexpr std::size_t kShortestOk = 7;

void put_u16(MutableBytes out, std::uint16_t v) {
    out[0] = static_cast<std::byte>(v & 0xFF);
    out[1] = static_cast<std::byte>(v >> 8);
}

// Writes a length, gives how many bytes it took. REQUIRES: lenenc_size(v) bytes of room; v < 64 KB.
std::size_t put_lenenc(MutableBytes out, std::size_t v) {
    if (v < 0xFB) {
        out[0] = static_cast<std::byte>(v);
        return 1;
    }
    out[0] = std::byte{0xFC};
    put_u16(out.subspan(1), static_cast<std::uint16_t>(v));
    return 3;
}

// Where in `whole` a part of it begins.
std::size_t offset(MutableBytes whole, Bytes part) {
    return static_cast<std::size_t>(part.data() - whole.data());
}

void move_down(MutableBytes whole, std::size_t from, std::size_t size, std::size_t to) {
    if (from != to && size > 0) std::memmove(whole.data() + to, whole.data() + from, size);
}

// Where an OK packet's status flags stand.
std::size_t status_offset(MutableBytes payload) {
    Reader r(payload);
    r.skip(1);
    (void)r.lenenc();
    (void)r.lenenc();
    return payload.size() - r.left();
}

}  // namespace

ReplyWalker::MaybeStep ReplyWalker::result_ended(MutableBytes chunk, std::size_t& at, Header header) {
    const std::optional<std::size_t> size = read_end(chunk.subspan(at + kHeaderSize, header.length));
    if (!size) return stop(at, Event::broken);
    sequence_ = header.sequence;
    write_header(chunk.subspan(at), {.length = static_cast<std::uint32_t>(*size),
                                     .sequence = static_cast<std::uint8_t>(sequence_ + shift_)});

    const bool more = !outcome_.error && (outcome_.status & status::more_results) != 0;
    // MySQL without DEPRECATE_EOF ends a row of OUT parameters without MORE_RESULTS, though an OK packet follows; then
    // the EOF packet before the row has said so.
    const bool out_row = !outcome_.error && (columns_status_ & status::out_parameters) != 0 &&
                         (columns_status_ & status::more_results) != 0;
    columns_status_ = 0;
    phase_ = more || out_row ? Phase::first : Phase::finished;
    outcome_.more_than_one = outcome_.more_than_one || phase_ == Phase::first;

    const std::size_t forward = at + kHeaderSize + *size;
    at += kHeaderSize + header.length;
    if (forward == at) return std::nullopt;
    return stop(forward, at, phase_ == Phase::finished ? Event::done : Event::part);
}

// Takes the outcome from OK, EOF or ERR and converts it; gives its new size, or nothing where it makes no sense.
std::optional<std::size_t> ReplyWalker::read_end(MutableBytes payload) {
    const auto first = static_cast<std::uint8_t>(payload[0]);
    if (first == kErr) {
        const auto err = parse_err(payload);
        if (!err) return std::nullopt;
        outcome_.error = true;
        outcome_.error_code = err->code;
        outcome_.has_status = false;
        return payload.size();
    }
    const bool ends_rows = phase_ == Phase::rows || phase_ == Phase::columns_end;
    if (shape_ == ReplyShape::field_list) outcome_.rows = 0;
    outcome_.had_rows = ends_rows && shape_ != ReplyShape::field_list;
    outcome_.has_status = true;
    if (first == kEof && (!conversion_.server_deprecate_eof || payload.size() < kShortestOk)) {
        const auto eof = parse_eof(payload);
        if (!eof) return std::nullopt;
        outcome_.status = eof->status;
        outcome_.warnings = eof->warnings;
        outcome_.any_warnings = outcome_.any_warnings || eof->warnings > 0;
        outcome_.affected_rows = 0;
        outcome_.cursor = status::opens_cursor(eof->status) && (eof->status & status::last_row_sent) == 0;
        return payload.size();
    }
    const auto ok = parse_ok(payload, conversion_.server_session_track);
    if (!ok) return std::nullopt;
    outcome_.status = ok->status;
    outcome_.warnings = ok->warnings;
    outcome_.any_warnings = outcome_.any_warnings || ok->warnings > 0;
    outcome_.affected_rows = ok->affected_rows;
    outcome_.cursor = status::opens_cursor(ok->status) && (ok->status & status::last_row_sent) == 0;
    if (!ends_rows) outcome_.last_insert_id = ok->last_insert_id;
    outcome_.any_insert_id = outcome_.any_insert_id || ok->last_insert_id != 0;
    return convert_ok(payload, *ok);
}

std::optional<std::size_t> ReplyWalker::convert_ok(MutableBytes payload, const OkPacket& ok) {
    const bool to_eof = payload[0] == std::byte{kEof} && !conversion_.client_deprecate_eof;
    const bool announced = conversion_.server_session_track && (ok.status & status::session_state_changed) != 0;
    if (!announced && !to_eof) return payload.size();

    std::size_t block = 0;
    if (!ok.session_state.empty()) {
        const auto kept = filter_trackers(payload.subspan(offset(payload, ok.session_state), ok.session_state.size()));
        if (!kept) return std::nullopt;
        block = *kept;
    }
    const auto flags = static_cast<std::uint16_t>(ok.status & ~status::session_state_changed);
    if (to_eof) {
        put_u16(payload.subspan(1), ok.warnings);
        put_u16(payload.subspan(3), flags);
        return kEofPayload;
    }
    if (block == ok.session_state.size() && conversion_.client_session_track) return payload.size();

    const std::size_t behind_info = ok.info.data() == nullptr ? 0 : offset(payload, as_bytes(ok.info)) + ok.info.size();
    if (block == 0) {
        const std::size_t at_status = status_offset(payload);
        put_u16(payload.subspan(at_status), flags);
        return ok.info.empty() ? at_status + 4 : behind_info;  // an empty info goes with what stood behind it
    }
    const std::size_t at_block = behind_info + lenenc_size(block);
    move_down(payload, offset(payload, ok.session_state), block, at_block);
    (void)put_lenenc(payload.subspan(behind_info), block);
    return at_block + block;
}

// Shows each tracker to the sink and closes the gaps of those that do not stay; gives the size of what does.
std::optional<std::size_t> ReplyWalker::filter_trackers(MutableBytes block) {
    Reader r(block);
    std::size_t end = 0;  // of what stays
    while (r.left() > 0) {
        const std::size_t begin = block.size() - r.left();
        const auto type = static_cast<Tracker>(r.u8());
        const Bytes data = r.lenenc_bytes();
        if (!r.ok()) return std::nullopt;
        const std::size_t size = block.size() - r.left() - begin;
        if (type != Tracker::system_variable) {
            TrackerReader one(block.subspan(begin, size));
            const auto item = one.next();
            if (!item) return std::nullopt;
            if (!keeps(*item)) continue;
            move_down(block, begin, size, end);
            end += size;
            continue;
        }
        const std::size_t at_data = offset(block, data);
        const auto kept = filter_variables(block.subspan(at_data, data.size()));
        if (!kept) return std::nullopt;
        if (*kept == data.size() && (*kept > 0 || conversion_.client_session_track)) {
            move_down(block, begin, size, end);
            end += size;
        } else if (*kept > 0) {
            block[end] = static_cast<std::byte>(type);
            const std::size_t header = 1 + put_lenenc(block.subspan(end + 1), *kept);
            move_down(block, at_data, *kept, end + header);
            end += header + *kept;
        }
    }
    return end;
}

// The same for the (name, value) pairs of one block.
std::optional<std::size_t> ReplyWalker::filter_variables(MutableBytes pairs) {
    Reader r(pairs);
    std::size_t end = 0;
    while (r.left() > 0) {
        const std::size_t begin = pairs.size() - r.left();
        TrackerReader::Item item{.type = Tracker::system_variable};
        item.name = r.lenenc_text();
        item.value = r.lenenc_text();
        if (!r.ok()) return std::nullopt;
        if (!keeps(item)) continue;
        const std::size_t size = pairs.size() - r.left() - begin;
        move_down(pairs, begin, size, end);
        end += size;
    }
    return end;
}

bool ReplyWalker::keeps(const TrackerReader::Item& item) {
    if (item.type == Tracker::state_change) outcome_.state_changed = true;
    const bool wanted = sink_ == nullptr || sink_->see(item);
    return wanted && conversion_.client_session_track;
}

}  // namespace tidegate::protocol
