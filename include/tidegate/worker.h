// The loop of a queue worker: take a job, do it with a connection, give the connection back; rest without one when
// there is nothing to do; end by itself before it grows old; finish the job in hand when it is told to stop.
//
//     tidegate::Worker worker(pool, {.max_jobs = 500});
//     const auto end = worker.run(
//         [](tidegate::Lease& lease) -> tidegate::Result<std::optional<Job>> { .. },   // the next job, nullopt: none
//         [](tidegate::Lease& lease, Job& job) -> tidegate::Result<void> { .. });      // does it
//     return end.reason == tidegate::WorkerEnd::Reason::gave_up ? 1 : 0;
//
// Taking and doing share one lease, so a job that is claimed with SELECT .. FOR UPDATE SKIP LOCKED stays claimed by its
// open transaction, which the Job may hold. The lease goes back after every job, done or failed, before the next is
// taken.
//
// Under `tidegate run`, or anything else that sets NOTIFY_SOCKET, the worker says READY=1, JOB=1 after each job,
// STATUS=.. and STOPPING=1 there, as systemd's protocol has it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <tidegate/error.h>
#include <tidegate/lease.h>
#include <tidegate/pool.h>

namespace tidegate {

namespace client {
class WorkerLoop;
}

struct WorkerOptions {
    // Both vary by up to a tenth from one worker to the next, so that a fleet is not recycled all at once.
    unsigned max_jobs = 100;                        // ends after so many, done or failed. 0: no limit
    std::chrono::milliseconds max_time{3'600'000};  // ends when it has run for so long. 0: no limit

    std::chrono::milliseconds rest{5'000};  // when there was no job; holding no connection
    // When no job could be taken (no connection, the server away), it tries again after 100, 200, 400, 800, then every
    // 1000 ms, and ends when that has happened so many times in a row. 0: never.
    unsigned give_up_after = 10;

    // SIGINT and SIGTERM are for the worker while run() runs: the job in hand is finished, then run() returns. A second
    // one does what it would have done without the worker. Handlers are set process-wide with the first such worker.
    bool stop_on_signals = true;

    // Hears of each job that failed, and of each failure to take one; on the worker's thread. Empty: to standard error.
    std::function<void(const Error&)> on_failure{};
};

// How a worker's run ended.
struct WorkerEnd {
    enum class Reason : std::uint8_t {
        stopped,   // stop(), or a signal
        max_jobs,  // recycled
        max_time,  // recycled
        gave_up,   // no job could be taken give_up_after times in a row; last_error says why
    };
    Reason reason = Reason::stopped;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    Error last_error{};  // of the last failure; without any its message is empty
};

// One loop at a time; stop() from any thread. Does not move. The pool must outlive it.
class Worker {
public:
    // What became of one look for a job.
    enum class Step : std::uint8_t { none, done, failed };

    explicit Worker(Pool& pool, WorkerOptions options = {});
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    // Runs until one of the reasons of WorkerEnd. `take` gives a Result<std::optional<Job>>, `perform` a Result<void>;
    // an error of `perform` is a failed job, and the next one is taken. Exceptions of either pass through; the lease is
    // given back on the way.
    template <class Take, class Perform>
    WorkerEnd run(Take take, Perform perform) {
        return run_steps([&](Lease& lease) -> Result<Step> {
            auto job = take(lease);
            if (!job) return std::unexpected(std::move(job.error()));
            if (!*job) return Step::none;
            auto performed = perform(lease, **job);
            if (performed) return Step::done;
            report(performed.error());
            return Step::failed;
        });
    }

    // The same with taking and doing in one function.
    WorkerEnd run_steps(const std::function<Result<Step>(Lease&)>& step);

    // Lets run() return once the job in hand is finished; at once when it rests or waits for a connection. A worker
    // that was stopped stays so.
    void stop();

private:
    void report(const Error& error);

    std::unique_ptr<client::WorkerLoop> loop_;
};

}  // namespace tidegate
