// A fleet of workers at work: joins the decisions (fleet.h) with the processes (crew.h). Signals, ticks and the
// server's room come in from whoever has the loop. Belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/line_pattern.h"
#include "fleet/crew.h"
#include "fleet/fleet.h"
#include "fleet/output.h"

namespace tidegate::fleet {

struct SupervisorOptions {
    std::string name;  // of the fleet, for TIDEGATE_FLEET and before each line; may be empty
    Policy policy;
    std::vector<std::string> command;
    std::string job_line;  // a line of output that matches is the end of a job; empty: none is
    Output::Settings output;
    std::uint64_t seed = 0;
    bool measure = false;          // memory also without max_rss
    int hold = -1;                 // KeeperOrders
    std::uint64_t open_files = 0;  // Crew::Settings
    std::function<void(Level, const std::string&)> say;
    // What the server's connections are like, for the lines about batches; may give nothing.
    std::function<std::string()> server_figures = [] { return std::string(); };
    // Every line of every worker besides; may be empty.
    std::function<void(WorkerId, Stream, std::string_view)> tap;
};

class Supervisor : private Actions, private CrewEvents {
public:
    // An error: the regular expression, the folder of the logs, no processes to be had.
    [[nodiscard]] static Result<std::unique_ptr<Supervisor>> make(net::Loop& loop, SupervisorOptions options);

    void tick(TimePoint now);
    void signal(int number);              // SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGTTIN, SIGTTOU
    bool ended(const EndedChild& child);  // instead of SIGCHLD where others have children, too; false: it is theirs
    void room(unsigned workers) { fleet_.room(workers, loop_.now()); }
    void scale(unsigned workers);
    void roll();
    void drain();
    void cut_off();
    // Another configuration from now on; workers that run go on as they were started. An error changes nothing.
    [[nodiscard]] Result<void> change(const Policy& policy, std::vector<std::string> command,
                                      const std::string& job_line, Output::Settings output);
    // Workers that wait for the end of a job of which nobody will tell: they are asked to end when somebody knows that
    // they are in the middle of nothing.
    [[nodiscard]] std::vector<WorkerId> waiting_unheard() const;
    void idle(WorkerId id) { fleet_.idle(id); }
    void measure();  // memory of all workers; not again within a short time

    [[nodiscard]] const Fleet& fleet() const { return fleet_; }
    [[nodiscard]] pid_t pid(WorkerId id) const { return crew_->pid(id); }
    [[nodiscard]] bool finished() const { return fleet_.finished() && crew_->size() == 0; }
    void flush() { output_.flush(); }

private:
    Supervisor(net::Loop& loop, SupervisorOptions options, Output output, std::optional<config::LinePattern> job_line);

    void start(const Worker& worker) override;
    void terminate(const Worker& worker) override;
    void kill(const Worker& worker) override;
    bool heeds_sigterm(const Worker& worker) override;
    void batch_started(const Batch& batch) override;
    void batch_over(const Batch& batch) override;
    void say(Level level, const std::string& sentence) override;

    void exited(WorkerId id, Exit exit) override;
    void line(WorkerId id, Stream stream, std::string_view text) override;
    void notice(WorkerId id, const Notice& notice) override;

    void end_unstarted();
    void stop_or_cut_off();

    net::Loop& loop_;
    SupervisorOptions options_;
    Output output_;
    std::optional<config::LinePattern> job_line_;
    Fleet fleet_;
    std::unique_ptr<Crew> crew_;
    std::vector<std::pair<WorkerId, Error>> unstarted_;  // told to the fleet at the next tick
    TimePoint measured_at_{};
};

}  // namespace tidegate::fleet
