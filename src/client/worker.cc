#include <fmt/core.h>
#include <tidegate/worker.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>

#include "client/notify.h"
#include "client/signal_watch.h"
#include "client/worker_policy.h"

namespace tidegate::client {

class WorkerLoop {
public:
    using StepFunction = std::function<Result<Worker::Step>(Lease&)>;

    WorkerLoop(Pool& pool, WorkerOptions options) : pool_(pool), options_(std::move(options)) {}

    WorkerEnd run(const StepFunction& step);
    void stop() { stop_.request_stop(); }
    void report(const Error& error);

private:
    void look_for_a_job(WorkerPolicy& policy, const StepFunction& step);
    void rest_until(TimePoint at);

    Pool& pool_;
    WorkerOptions options_;
    std::stop_source stop_;
    std::mutex mutex_;
    std::condition_variable_any stopped_;
    Error last_error_;
};

WorkerEnd WorkerLoop::run(const StepFunction& step) {
    std::optional<SignalWatch::Drainer> drainer;
    if (options_.stop_on_signals) drainer.emplace([this] { stop(); });
    std::random_device random;
    WorkerPolicy policy(options_, Clock::now(), random());
    notify("READY=1");
    auto reason = std::optional<WorkerEnd::Reason>();
    while (!(reason = policy.end(Clock::now())) && !stop_.stop_requested()) {
        if (Clock::now() < policy.next_look()) {
            rest_until(policy.next_look());
        } else {
            look_for_a_job(policy, step);
        }
    }
    notify("STOPPING=1");
    return {reason.value_or(WorkerEnd::Reason::stopped), policy.done(), policy.failed(), last_error_};
}

// Waits for a connection no longer than acquire() does by itself, and not beyond stop().
void WorkerLoop::look_for_a_job(WorkerPolicy& policy, const StepFunction& step) {
    auto lease = pool_.acquire(stop_.get_token());
    if (!lease && stop_.stop_requested()) return;
    auto result = lease ? step(*lease) : std::unexpected(lease.error());
    if (lease) lease->release();
    if (!result) {
        report(result.error());
        return policy.could_not_take(Clock::now());
    }
    if (*result == Worker::Step::none) return policy.found_none(Clock::now());
    policy.did_one(*result == Worker::Step::done);
    notify(fmt::format("JOB=1\nSTATUS={} done, {} failed", policy.done(), policy.failed()));
}

void WorkerLoop::rest_until(TimePoint at) {
    std::unique_lock lock(mutex_);
    stopped_.wait_until(lock, stop_.get_token(), at, [] { return false; });
}

void WorkerLoop::report(const Error& error) {
    last_error_ = error;
    if (options_.on_failure) {
        options_.on_failure(error);
    } else {
        fmt::print(stderr, "tidegate: {} ({})\n", error.message, error.code);
    }
}

}  // namespace tidegate::client

namespace tidegate {

Worker::Worker(Pool& pool, WorkerOptions options)
    : loop_(std::make_unique<client::WorkerLoop>(pool, std::move(options))) {}

Worker::~Worker() = default;

WorkerEnd Worker::run_steps(const std::function<Result<Step>(Lease&)>& step) {
    return loop_->run(step);
}

void Worker::stop() {
    loop_->stop();
}

void Worker::report(const Error& error) {
    loop_->report(error);
}

}  // namespace tidegate
