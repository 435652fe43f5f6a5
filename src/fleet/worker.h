// One worker as the fleet sees it: a number, a state, and what its life has been like. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tidegate::fleet {

using WorkerId = unsigned;  // from 0; replaces {id} in the command

enum class WorkerState : std::uint8_t {
    waiting,    // to be started when its batch's turn comes
    running,    //
    finishing,  // to be stopped, but SIGTERM would cut it off: waits for the end of its job
    stopping,   // has got SIGTERM
    killing,    // has got SIGKILL
    resting,    // ended; started again at `start_at`
    done,       // ended well, for good
    failed,     // ended badly, for good
    removed,    // ended because it was told to, for good
};

[[nodiscard]] std::string_view text_of(WorkerState state);

// How a process ended.
struct Exit {
    int code = 0;    // its exit code; of no meaning with a signal
    int signal = 0;  // 0: it exited
    [[nodiscard]] bool well() const { return signal == 0 && code == 0; }
    [[nodiscard]] std::string text() const;  // "exit code 3", "signal 9"
    friend bool operator==(const Exit&, const Exit&) = default;
};

// The exit code with which a program asks to be tried again later (EX_TEMPFAIL).
inline constexpr int kTryAgain = 75;

// Why a running worker is to be replaced.
enum class Due : std::uint8_t { no, jobs, time, rss, roll };

struct Worker {
    WorkerId id = 0;
    WorkerState state = WorkerState::waiting;
    TimePoint started_at{};       // its present or last process
    TimePoint start_at{};         // resting: when the next one starts
    TimePoint deadline{};         // finishing, stopping: when SIGKILL comes
    Due due = Due::no;            // to be replaced as soon as enough of the others are there
    bool leaving = false;         // told to end: not to be started again
    bool replacing = false;       // told to end, or ended, to be replaced; until its successor has settled
    bool ready = false;           // has said READY=1
    TimePoint settled_at{};       // replacing: when the successor counts as settled without a word from it
    unsigned crashes = 0;         // failures at the start, in a row
    unsigned restarts = 0;        // starts after the first
    std::uint64_t jobs = 0;       // of its present process
    std::uint64_t job_limit = 0;  // with jitter, drawn at each start; 0: none
    Duration time_limit{};        // the same
    std::uint64_t rss = 0;        // bytes, last measured; 0: never
    Exit last_exit;               // of the process before the present one
    std::string status;           // what it said last, STATUS=

    [[nodiscard]] bool alive() const {
        return state == WorkerState::running || state == WorkerState::finishing || state == WorkerState::stopping ||
               state == WorkerState::killing;
    }
    [[nodiscard]] bool over() const {
        return state == WorkerState::done || state == WorkerState::failed || state == WorkerState::removed;
    }
};

// "0-149", "3, 7-9": numbers in ascending order.
template <class Range>
[[nodiscard]] std::string ranges_of(const Range& ids) {
    std::string text;
    for (auto it = ids.begin(); it != ids.end();) {
        const WorkerId first = *it;
        WorkerId last = first;
        for (++it; it != ids.end() && *it == last + 1; ++it) ++last;
        if (!text.empty()) text += ", ";
        text += std::to_string(first);
        if (last != first) text += '-' + std::to_string(last);
    }
    return text;
}

}  // namespace tidegate::fleet
