// A turn at the running gate: the same as FileTurn, through the gate's socket. Sleeps until the gate says something.
// The slot comes with its lock, so it outlives the gate.
#pragma once

#include <optional>
#include <string>

#include "slots/claim.h"
#include "slots/place.h"
#include "slots/slot.h"

namespace tidegate::slots {

class GateTurn {
public:
    // Nothing: no gate runs there.
    [[nodiscard]] static std::optional<GateTurn> begin(const Place& place, const Claim& claim, TimePoint now);

    enum class State : std::uint8_t { waiting, done, gate_gone };
    // At `done`, result() says what came of it; at `gate_gone` the claim has to be brought forward elsewhere.
    [[nodiscard]] State look(TimePoint now);
    [[nodiscard]] Result<Slot> result() { return std::move(*result_); }
    [[nodiscard]] int descriptor() const { return socket_.get(); }
    [[nodiscard]] TimePoint next_look() const;

private:
    GateTurn(const Place& place, Claim claim, Descriptor socket);
    void read_reply(std::string_view line, Descriptor lock, TimePoint now);

    Place place_;
    Claim claim_;
    Descriptor socket_;
    Descriptor lock_;
    std::string heard_;
    std::optional<Result<Slot>> result_;
};

// The answer to one line that needs none of the above (LIST, STATS); nothing: no gate runs there, or it says nothing.
[[nodiscard]] std::optional<std::string> ask_gate(const Place& place, const std::string& line, std::string_view until);

}  // namespace tidegate::slots
