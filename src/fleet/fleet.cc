#include "fleet/fleet.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tidegate::fleet {
namespace {

constexpr unsigned kReplacedShare = 10;   // a tenth of the workers, at most, is being replaced at once
constexpr Duration kSettled = 1s;         // a worker that lives so long has started, if nobody says READY=1 ..
constexpr Duration kFirstJob = 5s;        // .. and if jobs are not told of either
constexpr double kLimitJitter = 0.2;      // limits are drawn from [1 - this, 1] of the setting
constexpr double kDelayJitter = 0.2;      // delays from [1 - this, 1 + this]
constexpr unsigned kFleetCrashShare = 4;  // crash_limit times so many workers failing in a row: none of them can work

std::string_view why(Due due) {
    switch (due) {
        case Due::jobs:
            return "its jobs are done";
        case Due::time:
            return "its time is over";
        case Due::rss:
            return "it has grown too large";
        case Due::roll:
        case Due::no:
            break;
    }
    return "the fleet is rolled over";
}

}  // namespace

std::string Batch::name() const {
    return of == 0 ? fmt::format("Batch {}", number) : fmt::format("Batch {}/{}", number, of);
}

std::string Figures::text() const {
    std::string text = fmt::format("{} running, {} done, {} failed", running, done, failed);
    if (waiting != 0) text += fmt::format(", {} waiting", waiting);
    if (stopping != 0) text += fmt::format(", {} stopping", stopping);
    if (resting != 0) text += fmt::format(", {} to be started again", resting);
    return text;
}

Fleet::Fleet(Policy policy, Actions& actions, std::uint64_t seed)
    : policy_(policy), actions_(actions), jitter_(seed), wanted_(policy.workers) {
    workers_.resize(wanted_);
    for (WorkerId id = 0; id < wanted_; ++id) workers_[id].id = id;
    if (policy_.batch != 0) batch_.of = (wanted_ + policy_.batch - 1) / policy_.batch;
}

Worker* Fleet::find(WorkerId id) {
    return id < workers_.size() ? &workers_[id] : nullptr;
}

void Fleet::tick(TimePoint now) {
    for (auto& worker : workers_) {
        const bool asked = worker.state == WorkerState::finishing || worker.state == WorkerState::stopping;
        if (asked && now >= worker.deadline) {
            worker.state = WorkerState::killing;
            ++totals_.killed;
            actions_.say(Level::warning, fmt::format("Worker {} did not end within {:g} s: killed", worker.id,
                                                     seconds(policy_.stop_timeout)));
            actions_.kill(worker);
        } else if (worker.state == WorkerState::running) {
            if (now >= worker.settled_at) worker.replacing = false;
            look_at_limits(worker, now);
        }
    }
    replace_due(now);
    end_batch(now);
    start_due(now);
}

// --- starting

unsigned Fleet::may_start(TimePoint now) {
    if (policy_.batch == 0) return room_;
    while (!starts_.empty() && now - starts_.front() >= policy_.batch_delay) starts_.pop_front();
    return policy_.batch > starts_.size() ? policy_.batch - static_cast<unsigned>(starts_.size()) : 0;
}

void Fleet::start_due(TimePoint now) {
    if (draining_) return;
    unsigned places = may_start(now);
    for (std::size_t i = 0; i < workers_.size() && places > 0; ++i) {
        if (workers_[i].state != WorkerState::resting || now < workers_[i].start_at) continue;
        --places;
        start(workers_[i], now);
    }
    // The next batch comes whole, when the pause is over.
    if (policy_.batch != 0 && wanted_ > policy_.batch && batch_open_) return;
    std::vector<WorkerId> ids;
    for (const auto& worker : workers_) {
        if (ids.size() == places) break;
        if (worker.state == WorkerState::waiting) ids.push_back(worker.id);
    }
    if (ids.empty()) return;
    ++batch_.number;
    if (batch_.of != 0 && batch_.number > batch_.of) batch_.of = 0;  // more than the first round: scaled up
    batch_.workers = ids;
    batch_open_ = true;
    batch_at_ = now;
    actions_.batch_started(batch_);
    for (const WorkerId id : ids) start(workers_[id], now);
}

void Fleet::end_batch(TimePoint now) {
    if (!batch_open_ || now - batch_at_ < policy_.batch_delay) return;
    batch_open_ = false;
    actions_.batch_over(batch_);
}

void Fleet::start(Worker& worker, TimePoint now) {
    if (policy_.batch == 0)
        room_ -= std::min(room_, 1U);
    else
        starts_.push_back(now);
    const auto limited = [&] { return 1.0 - kLimitJitter * jitter_.fraction(); };
    const double jobs_share = limited();
    const double time_share = limited();
    worker.state = WorkerState::running;
    worker.started_at = now;
    const bool uses_jobs = totals_.jobs_done + totals_.jobs_failed > 0;
    worker.settled_at = now + (uses_ready_ ? policy_.stop_timeout : uses_jobs ? kFirstJob : kSettled);
    worker.due = Due::no;
    worker.ready = false;
    worker.jobs = 0;
    worker.rss = 0;
    worker.status.clear();
    worker.job_limit = static_cast<std::uint64_t>(std::ceil(static_cast<double>(policy_.max_jobs) * jobs_share));
    worker.time_limit = std::chrono::duration_cast<Duration>(policy_.max_time * time_share);
    actions_.start(worker);
}

void Fleet::room(unsigned workers, TimePoint now) {
    room_ = workers;
    start_due(now);
}

// --- ending and replacing

void Fleet::stop(Worker& worker, TimePoint now, bool at_job_end) {
    if (worker.state == WorkerState::running) {
        worker.deadline = now + policy_.stop_timeout;
        worker.state = WorkerState::finishing;
        if (!at_job_end && !actions_.heeds_sigterm(worker)) return;
    } else if (worker.state != WorkerState::finishing || !at_job_end) {
        return;
    }
    worker.state = WorkerState::stopping;
    actions_.terminate(worker);
}

void Fleet::mark_due(Worker& worker, Due due) {
    if (worker.state == WorkerState::running && worker.due == Due::no) worker.due = due;
}

void Fleet::look_at_limits(Worker& worker, TimePoint now) {
    if (worker.job_limit != 0 && worker.jobs >= worker.job_limit) mark_due(worker, Due::jobs);
    if (worker.time_limit > Duration::zero() && now - worker.started_at >= worker.time_limit) {
        mark_due(worker, Due::time);
    }
    if (policy_.max_rss != 0 && worker.rss > policy_.max_rss) mark_due(worker, Due::rss);
}

unsigned Fleet::being_replaced() const {
    return static_cast<unsigned>(std::ranges::count_if(workers_, &Worker::replacing));
}

void Fleet::try_replace(Worker& worker, TimePoint now, bool at_job_end) {
    if (draining_ || worker.due == Due::no || worker.state != WorkerState::running || worker.leaving) return;
    if (being_replaced() >= std::max(1U, wanted_ / kReplacedShare)) return;
    actions_.say(Level::info, fmt::format("Worker {} is replaced: {} ({} jobs, {:.0f} s)", worker.id, why(worker.due),
                                          worker.jobs, seconds(now - worker.started_at)));
    worker.due = Due::no;
    worker.replacing = true;
    stop(worker, now, at_job_end);
}

void Fleet::replace_due(TimePoint now) {
    for (auto& worker : workers_) try_replace(worker, now, false);
}

void Fleet::drain(TimePoint now) {
    draining_ = true;
    for (auto& worker : workers_) {
        worker.leaving = true;
        worker.replacing = false;
        if (worker.state == WorkerState::waiting || worker.state == WorkerState::resting) {
            worker.state = WorkerState::removed;
        } else {
            stop(worker, now, false);
        }
    }
}

void Fleet::cut_off() {
    draining_ = true;
    for (auto& worker : workers_) {
        worker.leaving = true;
        if (worker.alive() && worker.state != WorkerState::killing) {
            worker.state = WorkerState::killing;
            ++totals_.killed;
            actions_.kill(worker);
        } else if (!worker.alive() && !worker.over()) {
            worker.state = WorkerState::removed;
        }
    }
}

void Fleet::roll(TimePoint now) {
    if (draining_) return;
    for (auto& worker : workers_) {
        mark_due(worker, Due::roll);
        if (worker.state != WorkerState::failed) continue;
        worker.state = WorkerState::waiting;  // given up before: it gets another chance
        worker.crashes = 0;
    }
    replace_due(now);
}

bool Fleet::rolling() const {
    return std::ranges::any_of(workers_, [](const Worker& w) { return w.due == Due::roll; });
}

void Fleet::scale(unsigned workers, TimePoint now) {
    if (draining_) return;
    wanted_ = workers;
    while (workers_.size() < workers) {
        Worker worker;
        worker.id = static_cast<WorkerId>(workers_.size());
        workers_.push_back(std::move(worker));
    }
    for (auto& worker : workers_) {
        if (worker.id >= workers) {
            worker.leaving = true;
            worker.replacing = false;
            if (worker.state == WorkerState::waiting || worker.state == WorkerState::resting)
                worker.state = WorkerState::removed;
            else
                stop(worker, now, false);
        } else if (worker.leaving) {  // told to end by an earlier order; wanted again
            worker.leaving = false;
            if (worker.state == WorkerState::removed) worker.state = WorkerState::waiting;
        }
    }
    while (workers_.size() > wanted_ && workers_.back().over()) workers_.pop_back();
    start_due(now);
}

void Fleet::change(const Policy& policy) {
    policy_ = policy;
    policy_.workers = wanted_;
    batch_.of = 0;
    room_ = 0;
}

void Fleet::give_up(const std::string& verdict, TimePoint now) {
    if (!verdict_.empty()) return;
    verdict_ = verdict;
    actions_.say(Level::error, verdict);
    drain(now);
}

// --- what workers say

void Fleet::ready(WorkerId id) {
    Worker* const worker = find(id);
    if (worker == nullptr || !worker->alive()) return;
    uses_ready_ = true;
    worker->ready = true;
    if (worker->state == WorkerState::running) worker->replacing = false;
    worker->crashes = crashes_in_a_row_ = 0;
}

void Fleet::status(WorkerId id, std::string text) {
    if (Worker* const worker = find(id)) worker->status = std::move(text);
}

void Fleet::job(WorkerId id, bool well, TimePoint now) {
    Worker* const worker = find(id);
    if (worker == nullptr || !worker->alive()) return;
    ++worker->jobs;
    ++(well ? totals_.jobs_done : totals_.jobs_failed);
    worker->crashes = crashes_in_a_row_ = 0;
    if (worker->state == WorkerState::finishing) {
        stop(*worker, now, true);
        return;
    }
    worker->replacing = false;  // a successor that does its work has settled
    look_at_limits(*worker, now);
    try_replace(*worker, now, true);
}

void Fleet::idle(WorkerId id) {
    Worker* const worker = find(id);
    if (worker != nullptr && worker->state == WorkerState::finishing) stop(*worker, worker->deadline, true);
}

void Fleet::rss(WorkerId id, std::uint64_t bytes, TimePoint now) {
    Worker* const worker = find(id);
    if (worker == nullptr || !worker->alive()) return;
    worker->rss = bytes;
    look_at_limits(*worker, now);
}

// --- ends

void Fleet::exited(WorkerId id, Exit exit, TimePoint now) {
    Worker* const worker = find(id);
    if (worker == nullptr || !worker->alive()) return;
    const bool asked = worker->state != WorkerState::running;
    const bool at_start = now - worker->started_at < policy_.healthy_after && worker->jobs == 0 && !worker->ready;
    worker->last_exit = exit;
    if (!at_start) worker->crashes = crashes_in_a_row_ = 0;
    if (worker->leaving) {
        worker->state = WorkerState::removed;
        worker->replacing = false;
        while (workers_.size() > wanted_ && workers_.back().over()) workers_.pop_back();
    } else if (asked) {
        ++totals_.recycled;
        ++worker->restarts;
        ++totals_.restarts;
        worker->state = WorkerState::resting;
        worker->start_at = now;
    } else if (exit.well()) {
        ended_well(*worker, at_start, now);
    } else {
        failed(*worker, exit, at_start, now);
    }
    start_due(now);
}

void Fleet::rest(Worker& worker, TimePoint now, unsigned failures) {
    Duration delay = policy_.first_delay;
    for (unsigned i = 1; i < failures && delay < policy_.last_delay; ++i) delay *= 2;
    delay = std::min(delay, policy_.last_delay);
    worker.state = WorkerState::resting;
    worker.start_at = now + jitter_.around(delay, kDelayJitter);
    ++worker.restarts;
    ++totals_.restarts;
}

void Fleet::ended_well(Worker& worker, bool at_start, TimePoint now) {
    worker.crashes = crashes_in_a_row_ = 0;
    worker.replacing = false;
    if (policy_.restart != Restart::always) {
        worker.state = WorkerState::done;
        return;
    }
    rest(worker, now, 1);
    if (!at_start) worker.start_at = now;  // one that had work is wanted back at once; one that had none may pause
}

void Fleet::failed(Worker& worker, Exit exit, bool at_start, TimePoint now) {
    ++totals_.crashes;
    const auto lived = seconds(now - worker.started_at);
    if (worker.replacing && rolling()) {
        for (auto& each : workers_) {
            if (each.due == Due::roll) each.due = Due::no;
        }
        actions_.say(Level::error,
                     fmt::format("The roll-over stops at worker {}: its successor ended with {} after {:.1f} s; the "
                                 "workers that were not replaced yet go on as they are",
                                 worker.id, exit.text(), lived));
    }
    worker.replacing = false;
    ++worker.crashes;
    if (at_start) ++crashes_in_a_row_;
    if (policy_.restart == Restart::never) {
        worker.state = WorkerState::failed;
        actions_.say(Level::warning,
                     fmt::format("Worker {} ended with {} after {:.1f} s", worker.id, exit.text(), lived));
    } else if (at_start && worker.crashes >= policy_.crash_limit) {
        worker.state = WorkerState::failed;
        actions_.say(Level::error, fmt::format("Worker {} is given up: it ended {} times in a row within {:g} s of its "
                                               "start, the last time with {}",
                                               worker.id, worker.crashes, seconds(policy_.healthy_after), exit.text()));
    } else {
        rest(worker, now, worker.crashes);
        actions_.say(Level::warning,
                     fmt::format("Worker {} ended with {} after {:.1f} s; it is started again in {:.1f} s", worker.id,
                                 exit.text(), lived, seconds(worker.start_at - now)));
    }
    if (policy_.restart != Restart::never) look_for_crash_loop(exit, now);
}

// Nobody has lived long, said READY=1 or done a job since the last `crashes_in_a_row_` starts, and nobody else does
// now.
void Fleet::look_for_crash_loop(Exit exit, TimePoint now) {
    const unsigned limit = policy_.crash_limit * std::min(wanted_, kFleetCrashShare);
    const bool somebody_works = std::ranges::any_of(workers_, [&](const Worker& w) {
        return w.state == WorkerState::done ||
               (w.alive() && (w.ready || w.jobs > 0 || now - w.started_at >= policy_.healthy_after));
    });
    if (draining_ || somebody_works || crashes_in_a_row_ < limit) return;
    for (auto& worker : workers_) {
        if (worker.state == WorkerState::resting || worker.state == WorkerState::waiting) {
            worker.state = WorkerState::failed;
        }
    }
    give_up(
        fmt::format("Crash loop: the last {} starts of workers all ended within {:g} s, the last one with {}, and no "
                    "worker has done a job; the fleet is given up. Look at what the workers print, mend the "
                    "command, and start it again",
                    crashes_in_a_row_, seconds(policy_.healthy_after), exit.text()),
        now);
}

bool Fleet::finished() const {
    return std::ranges::all_of(workers_, &Worker::over);
}

Figures Fleet::figures() const {
    Figures figures = totals_;
    figures.workers = wanted_;
    for (const auto& worker : workers_) {
        switch (worker.state) {
            case WorkerState::waiting:
                ++figures.waiting;
                break;
            case WorkerState::running:
                ++figures.running;
                break;
            case WorkerState::finishing:
            case WorkerState::stopping:
            case WorkerState::killing:
                ++figures.stopping;
                break;
            case WorkerState::resting:
                ++figures.resting;
                break;
            case WorkerState::done:
                ++figures.done;
                break;
            case WorkerState::failed:
                ++figures.failed;
                break;
            case WorkerState::removed:
                break;
        }
    }
    return figures;
}

}  // namespace tidegate::fleet
