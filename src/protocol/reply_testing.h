// Drives a ReplyWalker over a reply that comes in pieces, as the proxy does: what was not consumed is kept and handed
// in again with more behind it. For this folder's tests and the fuzzer.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/reply_walker.h"

namespace tidegate::protocol {

struct Walked {
    std::vector<std::byte> to_client;
    std::vector<std::string> trackers;  // as the sink saw them
    ReplyWalker::Outcome outcome;
    ReplyWalker::Event last = ReplyWalker::Event::more;
    std::vector<std::uint8_t> infile_sequences;  // next_sequence() at each request for a file
    std::size_t consumed = 0;
    std::string wrong;  // a promise of the header that was not kept
};

// `piece` says how many bytes the next read brings. `declines` is a text: trackers whose name or value is in it are cut
// out.
inline Walked walk(std::vector<std::byte> reply, ReplyShape shape, const ReplyWalker::Conversion& conversion,
                   const std::function<std::size_t()>& piece, std::string_view declines = {}) {
    struct Sink : ReplyWalker::TrackerSink {
        bool see(const TrackerReader::Item& item) override {
            walked->trackers.push_back(std::to_string(static_cast<int>(item.type)) + " " + std::string(item.name) +
                                       "=" + std::string(item.value));
            const std::string_view key = item.name.empty() ? item.value : item.name;
            return key.empty() || declines.find(key) == std::string_view::npos;
        }
        Walked* walked = nullptr;
        std::string_view declines;
    };
    Walked out;
    Sink sink;
    sink.walked = &out;
    sink.declines = declines;
    ReplyWalker walker;
    walker.set_sink(&sink);
    walker.begin(shape, conversion);

    using Event = ReplyWalker::Event;
    std::size_t at = 0;   // consumed
    std::size_t end = 0;  // read
    while (true) {
        // A buffer of its own size, so that a read past its end is a report of AddressSanitizer.
        std::vector<std::byte> chunk(reply.begin() + static_cast<std::ptrdiff_t>(at),
                                     reply.begin() + static_cast<std::ptrdiff_t>(end));
        const ReplyWalker::Step step = walker.step(chunk);
        if (step.forward > step.consumed || step.consumed > chunk.size()) {
            out.wrong = "a step past its chunk";
            return out;
        }
        out.to_client.insert(out.to_client.end(), chunk.begin(),
                             chunk.begin() + static_cast<std::ptrdiff_t>(step.forward));
        if (step.insert_eof) out.to_client.insert(out.to_client.end(), step.eof.begin(), step.eof.end());
        if (walker.started() != !out.to_client.empty()) out.wrong = "started() does not tell";
        if (step.event == Event::part && step.consumed == 0 && !step.insert_eof) {
            out.wrong = "a part of nothing";
            return out;
        }
        at += step.consumed;
        out.consumed = at;
        out.last = step.event;
        if (step.event == Event::done || step.event == Event::broken) break;
        if (step.event == Event::local_infile || step.event == Event::refused_local_infile) {
            out.infile_sequences.push_back(walker.next_sequence());
            // Nothing may follow such a packet before the client has answered: what is here was read ahead by the test.
            continue;
        }
        if (step.event != Event::more) continue;
        if (end - at >= ReplyWalker::kLargestKept) {
            out.wrong = "more kept back than promised";
            return out;
        }
        if (end == reply.size()) break;  // the reply is cut short
        end += std::min(std::max<std::size_t>(piece(), 1), reply.size() - end);
    }
    out.outcome = walker.outcome();
    return out;
}

}  // namespace tidegate::protocol
