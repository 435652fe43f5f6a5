// The walk over a reply's packets. What the packet that ends a result says, and how it is converted, is in
// reply_walker_end.cc.
#include "protocol/reply_walker.h"

#include <algorithm>
#include <cassert>

#include "protocol/execute.h"

namespace tidegate::protocol {

namespace {

constexpr std::uint8_t kOk = 0x00;
constexpr std::uint8_t kLocalInfile = 0xFB;
constexpr std::uint8_t kEof = 0xFE;
constexpr std::uint8_t kErr = 0xFF;
constexpr std::uint64_t kMostColumns = 0xFF'FFFE;  // expressions may be many more than a table has columns
constexpr std::uint32_t kLongestEof = 9;  // servers without DEPRECATE_EOF: shorter ones that begin with 0xFE are EOF
constexpr std::uint32_t kLongestPeek = 4096;

// The flags that outlast a statement.
constexpr std::uint16_t kLasting = status::in_transaction | status::autocommit | status::no_backslash_escapes |
                                   status::in_transaction_read_only | status::ansi_quotes;

std::uint8_t first_byte(MutableBytes chunk, std::size_t at) {
    return static_cast<std::uint8_t>(chunk[at + kHeaderSize]);
}

bool is_whole(MutableBytes chunk, std::size_t at, Header header) {
    return chunk.size() - at >= kHeaderSize + header.length;
}

}  // namespace

void ReplyWalker::begin(ReplyShape shape, const Conversion& conversion) {
    assert(conversion.server_deprecate_eof || !conversion.client_deprecate_eof);
    conversion_ = conversion;
    shape_ = shape;
    started_ = continued_ = false;
    sequence_ = shift_ = 0;
    columns_status_ = 0;
    longest_end_ = conversion.server_deprecate_eof ? kMaxPayload : kLongestEof;
    skip_ = definitions_ = 0;
    outcome_ = {};
    switch (shape) {
        case ReplyShape::none:
            phase_ = Phase::finished;
            break;
        case ReplyShape::rows:
        case ReplyShape::field_list:
            phase_ = Phase::rows;
            outcome_.had_rows = shape == ReplyShape::rows;
            break;
        default:
            phase_ = Phase::first;
    }
}

ReplyWalker::Step ReplyWalker::step(MutableBytes chunk) {
    std::size_t at = 0;
    while (true) {
        if (!pass_rest(chunk, at)) return stop(at, Event::more);
        switch (phase_) {
            case Phase::finished:
                return stop(at, Event::done);
            case Phase::rows:
                walk_rows(chunk, at);
                break;
            case Phase::parameters:
            case Phase::columns:
                walk_definitions(chunk, at);
                if (definitions_ == 0) {
                    phase_ = phase_ == Phase::columns ? Phase::columns_end : Phase::parameters_end;
                    continue;
                }
                break;
            case Phase::parameters_end:
            case Phase::columns_end:
                if (!conversion_.server_deprecate_eof) break;
                if (conversion_.client_deprecate_eof) {
                    leave_definitions();
                    continue;
                }
                if (shape_ == ReplyShape::prepare) return insert_eof(at, conversion_.status & kLasting);
                if (const MaybeStep step = columns_ended(chunk, at)) return *step;
                continue;
            case Phase::first:
                break;
        }
        if (within_packet()) continue;
        if (const MaybeStep step = look_at(chunk, at)) return *step;
    }
}

// Lets the packet at `at` pass, or what there is of it; gives where the walk goes on.
std::size_t ReplyWalker::pass(MutableBytes chunk, std::size_t at, Header header) {
    renumber(chunk, at, header);
    continued_ = header.continues();
    const std::size_t there = chunk.size() - at - kHeaderSize;
    if (header.length <= there) return at + kHeaderSize + header.length;
    skip_ = header.length - static_cast<std::uint32_t>(there);
    return chunk.size();
}

// The rest of a packet that has passed in part, with the packets that continue it. False: there is more of it to come.
bool ReplyWalker::pass_rest(MutableBytes chunk, std::size_t& at) {
    while (within_packet()) {
        const auto there = static_cast<std::uint32_t>(std::min<std::size_t>(skip_, chunk.size() - at));
        at += there;
        skip_ -= there;
        if (skip_ > 0) return false;
        if (!continued_) return true;
        if (chunk.size() - at < kHeaderSize) return false;
        at = pass(chunk, at, read_header(chunk.subspan(at)));
    }
    return true;
}

void ReplyWalker::walk_definitions(MutableBytes chunk, std::size_t& at) {
    while (definitions_ > 0 && chunk.size() - at > kHeaderSize) {
        const Header header = read_header(chunk.subspan(at));
        if (header.length == 0 || first_byte(chunk, at) == kErr) return;
        --definitions_;
        sequence_ = header.sequence;
        at = pass(chunk, at, header);
        if (within_packet()) return;
    }
}

// The hot loop: one look at the header and the first byte of each row.
void ReplyWalker::walk_rows(MutableBytes chunk, std::size_t& at) {
    while (chunk.size() - at > kHeaderSize) {
        const Header header = read_header(chunk.subspan(at));
        const std::uint8_t first = first_byte(chunk, at);
        if (header.length == 0 || (first >= kEof && ends_rows(header, first))) return;
        ++outcome_.rows;
        if (header.continues() || !is_whole(chunk, at, header)) {
            at = pass(chunk, at, header);
            return;
        }
        if (shift_ != 0) renumber(chunk, at, header);
        at += kHeaderSize + header.length;
    }
}

// A packet that is more than bytes to pass on.
ReplyWalker::MaybeStep ReplyWalker::look_at(MutableBytes chunk, std::size_t& at) {
    const std::size_t there = chunk.size() - at;
    if (there < kHeaderSize) return stop(at, Event::more);
    const Header header = read_header(chunk.subspan(at));
    if (there == kHeaderSize && header.length > 0) return stop(at, Event::more);
    if (shape_ == ReplyShape::text && (header.length == 0 || first_byte(chunk, at) != kErr)) {
        phase_ = Phase::finished;
        at = pass(chunk, at, header);
        return std::nullopt;
    }
    if (header.length == 0 || header.length > kLargestKept - kHeaderSize) return stop(at, Event::broken);
    if (!is_whole(chunk, at, header)) return stop(at, Event::more);

    if (first_byte(chunk, at) == kErr) return result_ended(chunk, at, header);
    switch (phase_) {
        case Phase::first:
            return first_packet(chunk, at, header);
        case Phase::rows:
            return result_ended(chunk, at, header);
        case Phase::parameters_end:
        case Phase::columns_end:
            return definitions_ended(chunk, at, header);
        default:
            return stop(at, Event::broken);
    }
}

ReplyWalker::MaybeStep ReplyWalker::first_packet(MutableBytes chunk, std::size_t& at, Header header) {
    const std::uint8_t first = first_byte(chunk, at);
    if (shape_ == ReplyShape::prepare) return prepared(chunk, at, header);
    if (first == kOk || first == kEof) return result_ended(chunk, at, header);
    if (shape_ != ReplyShape::result) return stop(at, Event::broken);
    if (first == kLocalInfile) return local_infile(chunk, at, header);
    return column_count(chunk, at, header);
}

ReplyWalker::MaybeStep ReplyWalker::prepared(MutableBytes chunk, std::size_t& at, Header header) {
    Reader r(chunk.subspan(at + kHeaderSize, header.length));
    const std::uint8_t ok = r.u8();
    outcome_.statement_id = r.u32();
    outcome_.columns = r.u16();
    outcome_.parameters = r.u16();
    if (!r.ok() || ok != kOk) return stop(at, Event::broken);
    r.skip(1);
    outcome_.warnings = r.u16();  // 0 where it is not sent
    if (conversion_.statement_id != 0) set_statement_id(chunk.subspan(at + kHeaderSize), conversion_.statement_id);
    sequence_ = header.sequence;
    at = pass(chunk, at, header);
    if (outcome_.parameters > 0) {
        phase_ = Phase::parameters;
        definitions_ = outcome_.parameters;
    } else {
        phase_ = Phase::parameters_end;
        leave_definitions();
    }
    return std::nullopt;
}

ReplyWalker::MaybeStep ReplyWalker::column_count(MutableBytes chunk, std::size_t& at, Header header) {
    Reader r(chunk.subspan(at + kHeaderSize, header.length));
    const std::uint64_t columns = r.lenenc();
    if (!r.ok() || columns > kMostColumns) return stop(at, Event::broken);
    sequence_ = header.sequence;
    at = pass(chunk, at, header);
    phase_ = Phase::columns;
    definitions_ = static_cast<std::uint32_t>(columns);
    outcome_.had_rows = outcome_.any_rows = true;
    outcome_.rows = 0;
    return std::nullopt;
}

// A client that offers no files is not asked: the gate says an empty one, and two packets pass that it never sees.
ReplyWalker::MaybeStep ReplyWalker::local_infile(MutableBytes chunk, std::size_t& at, Header header) {
    if (!conversion_.client_local_files && at > 0) return stop(at, Event::part);
    sequence_ = header.sequence;
    at = pass(chunk, at, header);
    if (conversion_.client_local_files) return stop(at, Event::local_infile);
    shift_ = static_cast<std::uint8_t>(shift_ - 2);
    return stop(0, at, Event::refused_local_infile);
}

// The EOF packet of a server without DEPRECATE_EOF, behind definitions. That of a cursor is the reply's end, too.
ReplyWalker::MaybeStep ReplyWalker::definitions_ended(MutableBytes chunk, std::size_t& at, Header header) {
    const auto eof = parse_eof(chunk.subspan(at + kHeaderSize, header.length));
    if (!eof) return stop(at, Event::broken);
    if (status::opens_cursor(eof->status)) return result_ended(chunk, at, header);
    columns_status_ = eof->status;
    outcome_.status = eof->status;
    outcome_.has_status = true;
    sequence_ = header.sequence;
    at = pass(chunk, at, header);
    leave_definitions();
    return std::nullopt;
}

// A client without DEPRECATE_EOF expects an EOF packet here, unless a cursor was opened: then its one EOF packet is the
// one that ends the reply. So the next packet decides. Its status flags matter, too: OUT parameters of a prepared CALL
// are known to clients by this packet's flag alone. They are one row, and the packet behind that row says the same: so
// a first row that is not large waits for what follows it.
ReplyWalker::MaybeStep ReplyWalker::columns_ended(MutableBytes chunk, std::size_t& at) {
    std::uint16_t flags = conversion_.status & kLasting;
    std::size_t next = at;
    for (int rows = 0; rows < 2; ++rows) {
        if (chunk.size() - next <= kHeaderSize) return stop(at, Event::more);
        const Header header = read_header(chunk.subspan(next));
        const std::uint8_t first = first_byte(chunk, next);
        if (header.length == 0 || first == kErr) break;
        if (first == kEof && header.length < kMaxPayload) {
            if (kHeaderSize + header.length > kLargestKept - (next - at)) break;
            if (!is_whole(chunk, next, header)) return stop(at, Event::more);
            const auto ok = parse_ok(chunk.subspan(next + kHeaderSize, header.length), false);
            if (!ok) break;
            if (rows == 0 && status::opens_cursor(ok->status)) {
                leave_definitions();
                return std::nullopt;
            }
            flags = ok->status & static_cast<std::uint16_t>(~status::session_state_changed);
            break;
        }
        if (header.length > kLongestPeek) break;
        next += kHeaderSize + header.length;
        if (chunk.size() < next) return stop(at, Event::more);
    }
    return insert_eof(at, flags);
}

void ReplyWalker::leave_definitions() {
    if (shape_ != ReplyShape::prepare) {
        phase_ = Phase::rows;
    } else if (phase_ == Phase::parameters_end && outcome_.columns > 0) {
        phase_ = Phase::columns;
        definitions_ = outcome_.columns;
    } else {
        phase_ = Phase::finished;
    }
}

ReplyWalker::Step ReplyWalker::insert_eof(std::size_t at, std::uint16_t status) {
    leave_definitions();
    started_ = true;
    Step step{.forward = at,
              .consumed = at,
              .insert_eof = true,
              .event = phase_ == Phase::finished ? Event::done : Event::part};
    write_header(step.eof, {.length = 5, .sequence = static_cast<std::uint8_t>(sequence_ + 1 + shift_)});
    step.eof[4] = static_cast<std::byte>(kEof);
    step.eof[7] = static_cast<std::byte>(status & 0xFF);
    step.eof[8] = static_cast<std::byte>(status >> 8);
    ++shift_;
    return step;
}

}  // namespace tidegate::protocol
