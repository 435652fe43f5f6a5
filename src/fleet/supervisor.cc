#include "fleet/supervisor.h"

#include <fmt/core.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "fleet/command.h"

namespace tidegate::fleet {
namespace {

constexpr Duration kMeasured = 2s;  // memory is looked at so often

// It will not be there next time either.
bool is_hopeless(const Error& error) {
    return error.code == ENOENT || error.code == EACCES || error.code == ENOEXEC || error.code == ENOTDIR;
}

Result<std::optional<config::LinePattern>> pattern_of(const std::string& job_line) {
    if (job_line.empty()) return std::optional<config::LinePattern>();
    auto pattern = config::LinePattern::make(job_line);
    if (!pattern) return std::unexpected(pattern.error());
    return std::optional<config::LinePattern>(std::move(*pattern));
}

}  // namespace

Result<std::unique_ptr<Supervisor>> Supervisor::make(net::Loop& loop, SupervisorOptions options) {
    auto job_line = pattern_of(options.job_line);
    if (!job_line) return std::unexpected(job_line.error());
    auto output = Output::make(options.output);
    if (!output) return std::unexpected(output.error());
    const Crew::Settings settings{
        .grace = options.policy.stop_timeout, .hold = options.hold, .open_files = options.open_files};
    std::unique_ptr<Supervisor> made(
        new Supervisor(loop, std::move(options), std::move(*output), std::move(*job_line)));
    auto crew = Crew::make(loop, settings, *made);
    if (!crew) return std::unexpected(crew.error());
    made->crew_ = std::move(*crew);
    return made;
}

Supervisor::Supervisor(net::Loop& loop, SupervisorOptions options, Output output,
                       std::optional<config::LinePattern> job_line)
    : loop_(loop),
      options_(std::move(options)),
      output_(std::move(output)),
      job_line_(std::move(job_line)),
      fleet_(options_.policy, *this, options_.seed) {}

void Supervisor::tick(TimePoint now) {
    end_unstarted();
    crew_->tick(now);
    if (options_.policy.max_rss != 0 || options_.measure) measure();
    fleet_.tick(now);
    output_.flush();
}

void Supervisor::measure() {
    const TimePoint now = loop_.now();
    if (now - measured_at_ < kMeasured) return;
    measured_at_ = now;
    std::vector<WorkerId> running;
    for (const auto& worker : fleet_.workers()) {
        if (worker.state == WorkerState::running) running.push_back(worker.id);
    }
    for (const WorkerId id : running) fleet_.rss(id, crew_->resident_bytes(id), now);
}

Result<void> Supervisor::change(const Policy& policy, std::vector<std::string> command, const std::string& job_line,
                                Output::Settings output) {
    auto pattern = pattern_of(job_line);
    if (!pattern) return std::unexpected(pattern.error());
    auto new_output = Output::make(std::move(output));
    if (!new_output) return std::unexpected(new_output.error());
    output_.flush();
    output_ = std::move(*new_output);
    job_line_ = std::move(*pattern);
    options_.job_line = job_line;
    options_.command = std::move(command);
    options_.policy = policy;
    fleet_.change(policy);
    crew_->set_grace(policy.stop_timeout);
    return {};
}

bool Supervisor::ended(const EndedChild& child) {
    const bool ours = crew_->ended(child);
    if (ours) output_.flush();
    return ours;
}

std::vector<WorkerId> Supervisor::waiting_unheard() const {
    const auto figures = fleet_.figures();
    std::vector<WorkerId> waiting;
    if (job_line_ || figures.jobs_done + figures.jobs_failed > 0) return waiting;
    for (const auto& worker : fleet_.workers()) {
        if (worker.state == WorkerState::finishing) waiting.push_back(worker.id);
    }
    return waiting;
}

void Supervisor::signal(int number) {
    const auto workers = fleet_.figures().workers;
    switch (number) {
        case SIGCHLD:
            while (const auto child = next_ended_child()) ended(*child);
            break;
        case SIGTERM:
        case SIGINT:
            stop_or_cut_off();
            break;
        case SIGHUP:
            roll();
            break;
        case SIGTTIN:
            if (workers < kMostWorkers) scale(workers + 1);
            break;
        case SIGTTOU:
            if (workers > 0) scale(workers - 1);
            break;
        default:
            break;
    }
}

void Supervisor::stop_or_cut_off() {
    if (fleet_.draining()) {
        say(Level::warning, fmt::format("Told to stop a second time: {} workers are cut off", crew_->size()));
        fleet_.cut_off();
    } else {
        drain();
    }
}

void Supervisor::drain() {
    say(Level::info, fmt::format("Stopping: {} workers may take {:g} s to finish what they are at", crew_->size(),
                                 seconds(options_.policy.stop_timeout)));
    fleet_.drain(loop_.now());
}

void Supervisor::cut_off() {
    say(Level::warning, fmt::format("The time is over: {} workers are cut off", crew_->size()));
    fleet_.cut_off();
}

void Supervisor::roll() {
    say(Level::info, fmt::format("Rolling over: {} workers are replaced, a few at a time", fleet_.figures().alive()));
    fleet_.roll(loop_.now());
}

void Supervisor::scale(unsigned workers) {
    say(Level::info, fmt::format("From {} workers to {}", fleet_.figures().workers, workers));
    fleet_.scale(workers, loop_.now());
}

// --- what the fleet wants done

void Supervisor::start(const Worker& worker) {
    std::vector<std::string> environment{fmt::format("TIDEGATE_WORKER={}", worker.id)};
    if (!options_.name.empty()) environment.push_back("TIDEGATE_FLEET=" + options_.name);
    auto started = crew_->start(worker.id, command_of_worker(options_.command, worker.id), environment);
    if (!started) unstarted_.emplace_back(worker.id, started.error());
}

void Supervisor::end_unstarted() {
    for (const auto& [id, error] : std::exchange(unstarted_, {})) {
        if (is_hopeless(error))
            fleet_.give_up(fmt::format("The fleet is given up: {}", error.message), loop_.now());
        else
            say(Level::warning, fmt::format("Worker {}: {}", id, error.message));
        fleet_.exited(id, Exit{.code = kTryAgain}, loop_.now());
    }
}

void Supervisor::terminate(const Worker& worker) {
    crew_->terminate(worker.id);
}

void Supervisor::kill(const Worker& worker) {
    crew_->kill(worker.id);
}

bool Supervisor::heeds_sigterm(const Worker& worker) {
    return !crew_->dies_of_sigterm(worker.id);
}

void Supervisor::batch_started(const Batch& batch) {
    const auto server = options_.policy.batch == 0 ? options_.server_figures() : std::string();
    say(Level::info, fmt::format("{}: {} {}{}", batch.name(), batch.workers.size() == 1 ? "worker" : "workers",
                                 ranges_of(batch.workers), server.empty() ? "" : fmt::format(" ({})", server)));
}

void Supervisor::batch_over(const Batch& batch) {
    if (options_.policy.batch == 0) return;
    const auto server = options_.server_figures();
    say(Level::info, fmt::format("{}: now {}{}", batch.name(), fleet_.figures().text(),
                                 server.empty() ? "" : fmt::format("; {}", server)));
}

void Supervisor::say(Level level, const std::string& sentence) {
    output_.flush();
    if (options_.say) options_.say(level, sentence);
}

// --- what the processes do

void Supervisor::exited(WorkerId id, Exit exit) {
    output_.ended(id);
    fleet_.exited(id, exit, loop_.now());
}

void Supervisor::line(WorkerId id, Stream stream, std::string_view text) {
    output_.line(id, options_.name.empty() ? std::to_string(id) : fmt::format("{} {}", options_.name, id), stream,
                 text);
    if (options_.tap) options_.tap(id, stream, text);
    if (job_line_ && job_line_->matches(text)) fleet_.job(id, true, loop_.now());
}

void Supervisor::notice(WorkerId id, const Notice& notice) {
    if (notice.has_status) fleet_.status(id, notice.status);
    if (notice.ready) fleet_.ready(id);
    for (unsigned i = 0; i < notice.jobs_done; ++i) fleet_.job(id, true, loop_.now());
    for (unsigned i = 0; i < notice.jobs_failed; ++i) fleet_.job(id, false, loop_.now());
}

}  // namespace tidegate::fleet
