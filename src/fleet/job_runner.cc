#include "fleet/job_runner.h"

#include <fmt/core.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "fleet/command.h"

namespace tidegate::fleet {
namespace {

constexpr std::size_t kReadAhead = 10'000;   // lines
constexpr std::size_t kMostFailures = 1000;  // kept for the end's account
constexpr Duration kAfterTerm = 2s;          // from SIGTERM to SIGKILL, when the grace time is over
constexpr Duration kJournalPatience = 10s;   // beyond the grace time of jobs that a killed run has left

}  // namespace

Result<std::unique_ptr<JobRunner>> JobRunner::make(net::Loop& loop, JobRunnerOptions options) {
    std::optional<JournalFile> journal;
    if (!options.journal.empty()) {
        auto opened = JournalFile::open(options.journal, options.stop_timeout + kJournalPatience);
        if (!opened) return std::unexpected(opened.error());
        journal.emplace(std::move(*opened));
    }
    auto output = Output::make(options.output);
    if (!output) return std::unexpected(output.error());
    const Crew::Settings settings{
        .grace = options.stop_timeout, .let_finish = journal.has_value(), .hold = options.hold, .notify = false};
    std::unique_ptr<JobRunner> made(new JobRunner(loop, std::move(options), std::move(*output), std::move(journal)));
    auto crew = Crew::make(loop, settings, *made);
    if (!crew) return std::unexpected(crew.error());
    made->crew_ = std::move(*crew);
    return made;
}

JobRunner::JobRunner(net::Loop& loop, JobRunnerOptions options, Output output, std::optional<JournalFile> journal)
    : loop_(loop),
      options_(std::move(options)),
      output_(std::move(output)),
      journal_(std::move(journal)),
      queue_(options_.at_once, options_.retries) {
    if (journal_ && journal_->past().finished() > 0) {
        say(Level::info, fmt::format("{} jobs were finished by earlier runs, as {} has it", journal_->past().finished(),
                                     options_.journal));
    }
}

bool JobRunner::wants_more() const {
    return !queue_.stopping() && queue_.wants_more(kReadAhead);
}

void JobRunner::add(std::string line) {
    const JobNumber number = ++lines_;
    if (line.empty()) return;
    const auto verdict = journal_ ? journal_->past().look_up(number, line) : Journal::Verdict::new_job;
    switch (verdict) {
        case Journal::Verdict::finished:
            queue_.skip();
            break;
        case Journal::Verdict::new_job:
            queue_.add({.number = number, .line = std::move(line)});
            break;
        case Journal::Verdict::other_text:
            give_up(
                fmt::format("Job {} is not what it was when {} was written: it is another list of jobs. Give the "
                            "list that the journal belongs to, or name another journal",
                            number, options_.journal));
            break;
    }
}

void JobRunner::tick(TimePoint now) {
    crew_->tick(now);
    start_more(now);
    if (stop_ != Stop::no && now >= stop_at_) cut_off();
    output_.flush();
}

void JobRunner::start_more(TimePoint now) {
    const TimePoint began = loop_.now();
    while ((!options_.paced || room_ > 0) && loop_.now() - began < net::Loop::kTick) {  // the others with the next tick
        const auto next = queue_.next(now);
        if (!next) return;
        if (options_.paced) --room_;
        start(*next, now);
    }
}

void JobRunner::start(JobQueue::Start start, TimePoint now) {
    const Job job = *start.job;
    JournalNote note;
    if (journal_) note = {.fd = journal_->fd(), .number = job.number, .fingerprint = fingerprint(job.line)};
    const auto started = crew_->start(
        start.place, command_of_job(options_.command, start.place, job.line),
        {fmt::format("TIDEGATE_JOB={}", job.number), fmt::format("TIDEGATE_WORKER={}", start.place)}, note);
    if (started) {
        running_[start.place] = job;
        return;
    }
    const Error& error = started.error();
    if (error.code == EAGAIN || error.code == ENOMEM || error.code == EMFILE || error.code == ENFILE) {
        say(Level::warning, fmt::format("Job {}: {}", job.number, error.message));
        (void)queue_.ended(start.place, Exit{.code = kTryAgain}, false, now);
        return;
    }
    (void)queue_.ended(start.place, Exit{.code = 127}, false, now);
    failures_.push_back({job.number, job.line, Exit{.code = 127}});
    if (error.code != E2BIG) give_up(fmt::format("The jobs are given up: {}", error.message));
}

void JobRunner::give_up(const std::string& verdict) {
    if (!verdict_.empty()) return;
    verdict_ = verdict;
    say(Level::error, verdict);
    if (stop_ == Stop::no) stop_or_cut_off();
}

void JobRunner::signal(int number) {
    if (number == SIGCHLD) {
        while (const auto child = next_ended_child()) (void)crew_->ended(*child);
        start_more(loop_.now());
        output_.flush();
    } else if (number == SIGTERM || number == SIGINT) {
        stop_or_cut_off();
    }
}

void JobRunner::stop_or_cut_off() {
    queue_.stop();
    if (stop_ == Stop::no) {
        stop_ = Stop::letting_finish;
        stop_at_ = loop_.now() + options_.stop_timeout;
        say(Level::info, fmt::format("Stopping: {} running jobs may take {:g} s to finish; no other is started",
                                     crew_->size(), seconds(options_.stop_timeout)));
    } else {
        say(Level::warning, fmt::format("Told to stop a second time: {} jobs are cut off", crew_->size()));
        cut_off();
    }
}

void JobRunner::cut_off() {
    const bool first = stop_ == Stop::letting_finish;
    stop_ = first ? Stop::terminated : Stop::killed;
    stop_at_ = loop_.now() + kAfterTerm;
    for (const auto& [place, job] : running_) {
        if (first)
            crew_->terminate_group(place);
        else
            crew_->kill(place);
    }
}

void JobRunner::exited(WorkerId id, Exit exit) {
    output_.ended(id);
    const auto at = running_.find(id);
    Job job = std::move(at->second);
    running_.erase(at);
    const bool cut = stop_ == Stop::terminated || stop_ == Stop::killed;
    switch (queue_.ended(id, exit, cut, loop_.now())) {
        case JobQueue::Fate::failed:
            say(Level::warning,
                fmt::format("Job {} has failed with {}{}: {}", job.number, exit.text(),
                            job.attempt > 1 ? fmt::format(", {} attempts", job.attempt) : "", job.line.substr(0, 200)));
            if (failures_.size() < kMostFailures) failures_.push_back({job.number, std::move(job.line), exit});
            break;
        case JobQueue::Fate::cut_off:
            say(Level::warning, fmt::format("Job {} was cut off: {}", job.number, job.line.substr(0, 200)));
            break;
        case JobQueue::Fate::done:
        case JobQueue::Fate::again:
            break;
    }
}

void JobRunner::line(WorkerId id, Stream stream, std::string_view text) {
    const auto at = running_.find(id);
    output_.line(id, at != running_.end() ? std::to_string(at->second.number) : "", stream, text);
}

void JobRunner::say(Level level, const std::string& sentence) {
    output_.flush();
    if (options_.say) options_.say(level, sentence);
}

}  // namespace tidegate::fleet
