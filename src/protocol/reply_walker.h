// Follows a server's reply packet by packet, in place: where it ends, what its last packet says, and what must be
// changed for a client that did not negotiate DEPRECATE_EOF or SESSION_TRACK. Nothing is copied and no row is looked
// into.
//
// Server connections negotiate both, where the server has them; so a client that has both gets the bytes as they came.
//   - SESSION_TRACK: trackers of an OK packet that the client must not see are cut out, in place (the packet gets
//   shorter).
//   - DEPRECATE_EOF: an EOF packet goes between the column definitions and the rows, the OK packet that ends the rows
//     becomes an EOF packet in place, and the packets behind an inserted one are renumbered in their headers.
//   - the number of a prepared statement is the gate's.
//
// Use: begin(), then for each chunk that was read, step() until it wants more bytes or is done:
//     while (true) {
//         Step s = walker.step(chunk);
//         send chunk[0, s.forward), then s.insert;  chunk = chunk[s.consumed, end);
//         if (s.event != Event::part) break;
//     }
// Bytes that were not consumed must be handed in again, with more behind them: a header that was cut in two, a packet
// that is looked into, and, for a client without DEPRECATE_EOF, a first row of up to 4 KB (see columns_ended()). So a
// caller's buffer holds at least kLargestKept bytes, and a packet to be looked into that is longer breaks the reply.
// What was not consumed is unchanged, except that the sink has not seen it. Not thread-safe; no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "protocol/command.h"
#include "protocol/frame.h"
#include "protocol/packets.h"
#include "protocol/wire.h"

namespace tidegate::protocol {

class ReplyWalker {
public:
    struct Conversion {
        bool server_deprecate_eof = true;  // what the server connection negotiated
        bool server_session_track = true;
        bool client_deprecate_eof = true;  // what the client negotiated
        bool client_session_track = true;
        bool client_local_files = true;
        // Of the server connection before this reply: for an EOF packet between column definitions and rows, which a
        // server with DEPRECATE_EOF never says. Flags of a single result are left out of it.
        std::uint16_t status = protocol::status::autocommit;
        // COM_STMT_PREPARE: the number that the client is told in place of the server's; 0: the server's.
        std::uint32_t statement_id = 0;
    };

    static constexpr std::size_t kLargestKept = std::size_t{32} * 1024;

    enum class Event : std::uint8_t {
        more,          // all that could be consumed was: read more from the server
        part,          // call step() again with the rest
        local_infile,  // the server asks for a file: the client's packets go to the server until an empty one, then go
                       // on
        refused_local_infile,  // the same, but the client never offered files: send the server an empty packet
                               // (sequence: next_sequence()), forward nothing, then go on
        done,                  // the reply is complete
        broken,                // the server's bytes make no sense: close both
    };

    struct Step {
        std::size_t forward = 0;   // leading bytes of the chunk for the client (some may have been changed in place)
        std::size_t consumed = 0;  // leading bytes of the chunk that are done with, at least `forward`
        std::array<std::byte, 9> eof{};  // an EOF packet that goes to the client behind them, if insert_eof
        bool insert_eof = false;
        Event event = Event::more;
    };

    void begin(ReplyShape shape, const Conversion& conversion);
    // The command went to the server in so many packets more than the client sent: the reply's numbers are ahead by as
    // many. REQUIRES: begin() was called, step() was not.
    void begin_behind(std::uint8_t packets) { shift_ = static_cast<std::uint8_t>(-packets); }
    [[nodiscard]] Step step(MutableBytes chunk);

    // Whether anything of this reply was already handed out by step() for the client.
    [[nodiscard]] bool started() const { return started_; }
    // The sequence number of the next packet towards the server, after local_infile events.
    [[nodiscard]] std::uint8_t next_sequence() const { return static_cast<std::uint8_t>(sequence_ + 1); }

    // What the reply said; valid once done. The trackers of every OK packet of the reply are given to the sink as they
    // pass.
    struct Outcome {
        bool error = false;  // the last packet was ERR (which carries no status: Trap 2 of protocol.md)
        std::uint16_t error_code = 0;
        std::uint16_t status = 0;  // of the last OK or EOF packet; stale after an error
        bool has_status = false;   // false where the reply carried none (error, text)
        std::uint16_t warnings = 0;
        std::uint64_t affected_rows = 0;
        std::uint64_t last_insert_id = 0;           // of the last OK packet that is no end of rows
        bool any_insert_id = false;                 // some OK packet of the reply had an id that is not 0
        std::uint64_t rows = 0;                     // of the last result set
        bool had_rows = false;                      // the last result was a result set
        bool any_rows = false;                      // some result was one
        bool any_warnings = false;                  // some result had warnings
        bool more_than_one = false;                 // several results
        bool state_changed = false;                 // a state-change tracker (type 2) was seen
        std::uint32_t statement_id = 0;             // of COM_STMT_PREPARE, as the server said it
        std::uint16_t columns = 0, parameters = 0;  // likewise
        bool cursor = false;                        // a cursor stays open

        friend bool operator==(const Outcome&, const Outcome&) = default;
    };
    [[nodiscard]] const Outcome& outcome() const { return outcome_; }

    // Sees each tracker item of each OK packet as it passes, before it is cut out; and says whether the client may see
    // it (clients without SESSION_TRACK see none whatever it says).
    class TrackerSink {
    public:
        virtual ~TrackerSink() = default;
        virtual bool see(const TrackerReader::Item& item) = 0;
    };
    void set_sink(TrackerSink* sink) { sink_ = sink; }

private:
    // What comes next. `*_end` is the border behind definitions: the server's EOF packet, or where one is inserted.
    enum class Phase : std::uint8_t { first, parameters, parameters_end, columns, columns_end, rows, finished };

    [[nodiscard]] bool within_packet() const { return skip_ > 0 || continued_; }
    void renumber(MutableBytes chunk, std::size_t at, Header header) const {
        chunk[at + 3] = static_cast<std::byte>(header.sequence + shift_);
    }
    // Whether a packet that begins like this ends the rows: ERR, or EOF, or the OK that took its place.
    [[nodiscard]] bool ends_rows(Header header, std::uint8_t first) const {
        return first == 0xFF || (first == 0xFE && header.length < longest_end_);
    }

    [[nodiscard]] std::size_t pass(MutableBytes chunk, std::size_t at, Header header);
    [[nodiscard]] bool pass_rest(MutableBytes chunk, std::size_t& at);
    void walk_definitions(MutableBytes chunk, std::size_t& at);
    void walk_rows(MutableBytes chunk, std::size_t& at);

    // Each of these gives a step, or nothing where the walk goes on at `at`.
    using MaybeStep = std::optional<Step>;
    [[nodiscard]] MaybeStep look_at(MutableBytes chunk, std::size_t& at);
    [[nodiscard]] MaybeStep first_packet(MutableBytes chunk, std::size_t& at, Header header);
    [[nodiscard]] MaybeStep prepared(MutableBytes chunk, std::size_t& at, Header header);
    [[nodiscard]] MaybeStep column_count(MutableBytes chunk, std::size_t& at, Header header);
    [[nodiscard]] MaybeStep local_infile(MutableBytes chunk, std::size_t& at, Header header);
    [[nodiscard]] MaybeStep definitions_ended(MutableBytes chunk, std::size_t& at, Header header);
    [[nodiscard]] MaybeStep columns_ended(MutableBytes chunk, std::size_t& at);
    [[nodiscard]] MaybeStep result_ended(MutableBytes chunk, std::size_t& at, Header header);
    [[nodiscard]] std::optional<std::size_t> read_end(MutableBytes payload);
    [[nodiscard]] std::optional<std::size_t> convert_ok(MutableBytes payload, const OkPacket& ok);
    [[nodiscard]] std::optional<std::size_t> filter_trackers(MutableBytes block);
    [[nodiscard]] std::optional<std::size_t> filter_variables(MutableBytes pairs);
    [[nodiscard]] bool keeps(const TrackerReader::Item& item);

    void leave_definitions();
    [[nodiscard]] Step insert_eof(std::size_t at, std::uint16_t status);
    [[nodiscard]] Step stop(std::size_t at, Event event) { return stop(at, at, event); }
    [[nodiscard]] Step stop(std::size_t forward, std::size_t consumed, Event event) {
        started_ = started_ || forward > 0;
        return {.forward = forward, .consumed = consumed, .event = event};
    }

    TrackerSink* sink_ = nullptr;
    Conversion conversion_;
    ReplyShape shape_ = ReplyShape::none;
    Phase phase_ = Phase::finished;
    bool started_ = false;
    bool continued_ = false;     // the packet under way, or just passed, has 0xFFFFFF bytes: the next one continues it
    std::uint8_t sequence_ = 0;  // of the last packet that was no row, as the server numbered it
    std::uint8_t shift_ = 0;     // how far the client's numbers are ahead of the server's (modulo 256)
    std::uint16_t columns_status_ = 0;         // a server's EOF packet behind the columns
    std::uint32_t longest_end_ = kMaxPayload;  // a packet that begins with 0xFE ends rows if it is shorter
    std::uint32_t skip_ = 0;                   // what is still to pass of the packet under way
    std::uint32_t definitions_ = 0;            // how many are still to come
    Outcome outcome_;
};

}  // namespace tidegate::protocol
