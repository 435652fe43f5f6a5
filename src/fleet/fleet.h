// A fleet's decisions: which worker is started, asked to end, killed, and when. Events and times come in; what is to be
// done goes out through Actions. Pure: the processes are crew.h's, a test has none.
//
//   Starting  at most `batch` workers within any `batch_delay`, restarts included; with batch 0 as many as room() said.
//   Ending    SIGTERM, then SIGKILL at stop_timeout. A worker whom SIGTERM would cut off in the middle of a job gets it
//             at the end of that job instead.
//   Replacing after jobs, time, memory, or all of them one after another (roll): never more than a tenth at once.
//   Failing   a worker that fails is started again, later each time; one that keeps failing at its start is given up,
//             and a fleet of which nothing else is left ends.
//
// Belongs to one thread. No event may come from within a call of Actions: what follows from it comes later.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "budget/backoff.h"
#include "fleet/policy.h"
#include "fleet/worker.h"

namespace tidegate::fleet {

enum class Level : std::uint8_t { info, warning, error };

// Workers that were started together.
struct Batch {
    unsigned number = 0;  // from 1
    unsigned of = 0;      // 0: not known beforehand
    std::vector<WorkerId> workers;
    [[nodiscard]] std::string name() const;  // "Batch 1/7"
};

class Actions {
public:
    virtual ~Actions() = default;
    virtual void start(const Worker& worker) = 0;      // exited() comes later, also if it cannot be started
    virtual void terminate(const Worker& worker) = 0;  // SIGTERM
    virtual void kill(const Worker& worker) = 0;       // SIGKILL, to all of its process group
    // Would it end in order when it gets SIGTERM (handles, blocks or ignores it), or be cut off?
    virtual bool heeds_sigterm(const Worker& worker) = 0;
    virtual void batch_started(const Batch& batch) = 0;
    virtual void batch_over(const Batch& batch) = 0;  // its pause is over, or its room used
    virtual void say(Level level, const std::string& sentence) = 0;
};

struct Figures {
    unsigned workers = 0;  // that there should be
    unsigned waiting = 0;
    unsigned running = 0;
    unsigned stopping = 0;  // finishing, stopping and killing
    unsigned resting = 0;
    unsigned done = 0;
    unsigned failed = 0;
    std::uint64_t jobs_done = 0;
    std::uint64_t jobs_failed = 0;
    std::uint64_t restarts = 0;
    std::uint64_t recycled = 0;  // ends that were asked for, to be replaced
    std::uint64_t crashes = 0;   // ends in failure that nobody asked for
    std::uint64_t killed = 0;    // ends by our SIGKILL: the grace time was over

    [[nodiscard]] unsigned alive() const { return running + stopping; }
    [[nodiscard]] std::string text() const;
};

class Fleet {
public:
    Fleet(Policy policy, Actions& actions, std::uint64_t seed);
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // Events. Those about a worker that is not there are ignored.
    void tick(TimePoint now);
    void ready(WorkerId id);
    void status(WorkerId id, std::string text);
    void job(WorkerId id, bool well, TimePoint now);  // it has ended a job
    void idle(WorkerId id);                           // it is between two jobs, as somebody else knows
    void rss(WorkerId id, std::uint64_t bytes, TimePoint now);
    void exited(WorkerId id, Exit exit, TimePoint now);  // and nothing of its process group is left
    void room(unsigned workers, TimePoint now);          // batch 0: so many may be started now

    // Orders.
    void drain(TimePoint now);  // end all, in order
    void cut_off();             // end all, at once
    void roll(TimePoint now);   // replace all, a few at a time
    void scale(unsigned workers, TimePoint now);
    void change(const Policy& policy);                        // for what comes; its number of workers is scale()'s
    void give_up(const std::string& verdict, TimePoint now);  // nothing can be started at all: ends as a failure

    [[nodiscard]] bool finished() const;  // nothing runs, nothing will
    [[nodiscard]] bool draining() const { return draining_; }
    [[nodiscard]] bool rolling() const;
    [[nodiscard]] const std::string& verdict() const { return verdict_; }  // of a crash loop; empty: none
    [[nodiscard]] Figures figures() const;
    [[nodiscard]] std::span<const Worker> workers() const { return workers_; }
    [[nodiscard]] const Policy& policy() const { return policy_; }

private:
    [[nodiscard]] Worker* find(WorkerId id);
    void start(Worker& worker, TimePoint now);
    void start_due(TimePoint now);
    void end_batch(TimePoint now);
    [[nodiscard]] unsigned may_start(TimePoint now);
    void stop(Worker& worker, TimePoint now, bool at_job_end);
    void mark_due(Worker& worker, Due due);
    void look_at_limits(Worker& worker, TimePoint now);
    void replace_due(TimePoint now);
    void try_replace(Worker& worker, TimePoint now, bool at_job_end);
    [[nodiscard]] unsigned being_replaced() const;
    void failed(Worker& worker, Exit exit, bool at_start, TimePoint now);
    void look_for_crash_loop(Exit exit, TimePoint now);
    void ended_well(Worker& worker, bool at_start, TimePoint now);
    void rest(Worker& worker, TimePoint now, unsigned failures);

    Policy policy_;
    Actions& actions_;
    budget::Jitter jitter_;
    std::vector<Worker> workers_;  // by id; those at the end that are removed are taken off
    unsigned wanted_;
    bool draining_ = false;
    std::string verdict_;
    unsigned room_ = 0;             // batch 0
    std::deque<TimePoint> starts_;  // within the last batch_delay
    Batch batch_;                   // the last one
    bool batch_open_ = false;       // its end was not told yet
    TimePoint batch_at_{};
    bool uses_ready_ = false;        // some worker has said READY=1
    unsigned crashes_in_a_row_ = 0;  // failures at the start, of the whole fleet, with no sign of life between
    Figures totals_;                 // the counters only
};

}  // namespace tidegate::fleet
