// Follows a server's reply packet by packet, in place: where it ends, what its last packet says, and what must be changed for
// a client that did not negotiate DEPRECATE_EOF or SESSION_TRACK. Nothing is copied and no row is looked into.
//
// Server connections negotiate both, where the server has them; so a client that has both gets the bytes as they came.
//   - SESSION_TRACK: trackers of an OK packet that the client must not see are cut out, in place (the packet gets shorter).
//   - DEPRECATE_EOF: an EOF packet goes between the column definitions and the rows, the OK packet that ends the rows
//     becomes an EOF packet in place, and the packets behind an inserted one are renumbered in their headers.
//
// Use: begin(), then for each chunk that was read, step() until it wants more bytes or is done:
//     while (true) {
//         Step s = walker.step(chunk);
//         send chunk[0, s.forward), then s.insert;  chunk = chunk[s.consumed, end);
//         if (s.event != Event::part) break;
//     }
// Bytes that were not consumed must be handed in again, with more behind them (only the packet that ends a reply, or a
// header that was cut in two, is kept back like this). Not thread-safe; no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "protocol/command.h"
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
    };

    enum class Event : std::uint8_t {
        more,          // all that could be consumed was: read more from the server
        part,          // call step() again with the rest
        local_infile,  // the server asks for a file: the client's packets go to the server until an empty one, then go on
        refused_local_infile,  // the same, but the client never offered files: send the server an empty packet
                               // (sequence: next_sequence()), forward nothing, then go on
        done,                  // the reply is complete
        broken,                // the server's bytes make no sense: close both
    };

    struct Step {
        std::size_t forward = 0;       // leading bytes of the chunk for the client (some may have been changed in place)
        std::size_t consumed = 0;      // leading bytes of the chunk that are done with, at least `forward`
        std::array<std::byte, 9> eof;  // an EOF packet that goes to the client behind them, if insert_eof
        bool insert_eof = false;
        Event event = Event::more;
    };

    void begin(ReplyShape shape, const Conversion& conversion);
    [[nodiscard]] Step step(MutableBytes chunk);

    // Whether anything of this reply was already handed out by step() for the client.
    [[nodiscard]] bool started() const;
    // The sequence number of the next packet towards the server, after local_infile events.
    [[nodiscard]] std::uint8_t next_sequence() const;

    // What the reply said; valid once done. The trackers of every OK packet of the reply are given to the sink as they pass.
    struct Outcome {
        bool error = false;             // the last packet was ERR (which carries no status: Trap 2 of protocol.md)
        std::uint16_t error_code = 0;
        std::uint16_t status = 0;       // of the last OK or EOF packet; stale after an error
        bool has_status = false;        // false where the reply carried none (error, text)
        std::uint16_t warnings = 0;
        std::uint64_t affected_rows = 0;
        std::uint64_t last_insert_id = 0;  // of the last OK packet that is no end of rows
        bool any_insert_id = false;     // some OK packet of the reply had an id that is not 0
        std::uint64_t rows = 0;         // of the last result set
        bool had_rows = false;          // the last result was a result set
        bool more_than_one = false;     // several results
        bool state_changed = false;     // a state-change tracker (type 2) was seen
        std::uint32_t statement_id = 0;  // of COM_STMT_PREPARE
        std::uint16_t columns = 0, parameters = 0;  // likewise
        bool cursor = false;            // a cursor stays open
    };
    [[nodiscard]] const Outcome& outcome() const { return outcome_; }

    // Sees each tracker item of each OK packet as it passes, before it is cut out; and says whether the client may see it
    // (clients without SESSION_TRACK see none whatever it says).
    class TrackerSink {
    public:
        virtual ~TrackerSink() = default;
        virtual bool see(const TrackerReader::Item& item) = 0;
    };
    void set_sink(TrackerSink* sink) { sink_ = sink; }

private:
    TrackerSink* sink_ = nullptr;
    Outcome outcome_;
};

}  // namespace tidegate::protocol
