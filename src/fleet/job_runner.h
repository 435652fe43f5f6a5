// Jobs at work: joins the list (jobs.h) with the processes (crew.h) and the journal. Lines come in from whoever reads
// them. Belongs to the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/crew.h"
#include "fleet/fleet.h"
#include "fleet/jobs.h"
#include "fleet/journal_file.h"
#include "fleet/output.h"

namespace tidegate::fleet {

struct JobRunnerOptions {
    std::vector<std::string> command;
    unsigned at_once = 1;
    unsigned retries = 5;
    bool paced = false;  // jobs are started only as room() allows
    Duration stop_timeout = 30s;
    Output::Settings output;
    std::string journal;  // a file; empty: none
    int hold = -1;        // KeeperOrders
    std::function<void(Level, const std::string&)> say;
};

class JobRunner : private CrewEvents {
public:
    [[nodiscard]] static Result<std::unique_ptr<JobRunner>> make(net::Loop& loop, JobRunnerOptions options);

    void add(std::string line);  // the next one; an empty one is no job
    void no_more() { queue_.no_more(); }
    [[nodiscard]] bool wants_more() const;
    void tick(TimePoint now);
    void signal(int number);  // SIGCHLD, SIGTERM, SIGINT
    void room(unsigned jobs) { room_ = jobs; }

    [[nodiscard]] bool finished() const { return queue_.finished() && crew_->size() == 0; }
    [[nodiscard]] bool complete() const { return queue_.complete(); }
    [[nodiscard]] JobFigures figures() const { return queue_.figures(); }
    [[nodiscard]] const std::string& verdict() const { return verdict_; }  // why it was given up; empty: it was not
    struct Failure {
        JobNumber number;
        std::string line;
        Exit exit;
    };
    [[nodiscard]] const std::vector<Failure>& failures() const { return failures_; }  // the first thousand

private:
    JobRunner(net::Loop& loop, JobRunnerOptions options, Output output, std::optional<JournalFile> journal);
    void start_more(TimePoint now);
    void start(JobQueue::Start start, TimePoint now);
    void give_up(const std::string& verdict);
    void stop_or_cut_off();
    void cut_off();
    void say(Level level, const std::string& sentence);

    void exited(WorkerId id, Exit exit) override;
    void line(WorkerId id, Stream stream, std::string_view text) override;
    void notice(WorkerId, const Notice&) override {}

    net::Loop& loop_;
    JobRunnerOptions options_;
    Output output_;
    std::optional<JournalFile> journal_;
    JobQueue queue_;
    std::map<WorkerId, Job> running_;
    std::unique_ptr<Crew> crew_;
    JobNumber lines_ = 0;
    unsigned room_ = 0;
    std::string verdict_;
    std::vector<Failure> failures_;
    enum class Stop : std::uint8_t { no, letting_finish, terminated, killed } stop_ = Stop::no;
    TimePoint stop_at_{};  // when the next step is taken
};

}  // namespace tidegate::fleet
