#include "fleet/worker.h"

namespace tidegate::fleet {

std::string_view text_of(WorkerState state) {
    switch (state) {
        case WorkerState::waiting:
            return "waiting";
        case WorkerState::running:
            return "running";
        case WorkerState::finishing:
            return "finishing";
        case WorkerState::stopping:
            return "stopping";
        case WorkerState::killing:
            return "killing";
        case WorkerState::resting:
            return "resting";
        case WorkerState::done:
            return "done";
        case WorkerState::failed:
            return "failed";
        case WorkerState::removed:
            return "removed";
    }
    return "waiting";
}

std::string Exit::text() const {
    return signal != 0 ? "signal " + std::to_string(signal) : "exit code " + std::to_string(code);
}

}  // namespace tidegate::fleet
