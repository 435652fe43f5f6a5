#include "slots/turn.h"

#include <utility>

namespace tidegate::slots {

Turn::Turn(const Place& place, Claim claim, TimePoint now) : place_(place), claim_(std::move(claim)) {
    gate_ = GateTurn::begin(place_, claim_, now);
    if (!gate_) go_to_file(now);
}

void Turn::go_to_file(TimePoint now) {
    gate_.reset();
    file_ = std::make_unique<FileTurn>(place_, claim_, now);
}

std::optional<Result<Slot>> Turn::look(TimePoint now) {
    if (!gate_ && file_->is_first()) {
        // A gate that came meanwhile has the line from now on: the first goes there, and those behind follow.
        gate_ = GateTurn::begin(place_, claim_, now);
        if (gate_) file_.reset();
    }
    if (gate_) {
        switch (gate_->look(now)) {
            case GateTurn::State::waiting:
                return std::nullopt;
            case GateTurn::State::done:
                return gate_->result();
            case GateTurn::State::gate_gone:
                go_to_file(now);
                break;
        }
    }
    return file_->look(now);
}

}  // namespace tidegate::slots
