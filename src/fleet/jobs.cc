#include "fleet/jobs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tidegate::fleet {

std::string JobFigures::text() const {
    std::string text = fmt::format("{} done, {} failed, {} running, {} waiting", done, failed, running, waiting);
    if (skipped != 0) text += fmt::format(", {} finished by an earlier run", skipped);
    if (retried != 0) text += fmt::format(", {} tried again", retried);
    return text;
}

Duration pause_before_attempt(unsigned attempt) {
    constexpr std::array<Duration, 5> kPauses{100ms, 200ms, 400ms, 800ms, 1000ms};
    const std::size_t at = attempt < 2 ? 0 : attempt - 2;
    return kPauses[std::min(at, kPauses.size() - 1)];
}

void JobQueue::add(Job job) {
    ++seen_;
    queue_.push_back(std::move(job));
}

std::optional<JobQueue::Start> JobQueue::next(TimePoint now) {
    if (stopping_ || running_.size() >= at_once_) return std::nullopt;
    WorkerId place = 0;
    while (running_.contains(place)) ++place;
    Job job;
    if (!again_.empty() && again_.begin()->first <= now) {
        job = std::move(again_.begin()->second);
        again_.erase(again_.begin());
    } else if (!queue_.empty()) {
        job = std::move(queue_.front());
        queue_.pop_front();
    } else {
        return std::nullopt;
    }
    if (job.attempt > 1) ++totals_.retried;
    const auto at = running_.emplace(place, std::move(job)).first;
    return Start{place, &at->second};
}

JobQueue::Fate JobQueue::ended(WorkerId place, Exit exit, bool cut, TimePoint now) {
    auto at = running_.find(place);
    Job job = std::move(at->second);
    running_.erase(at);
    if (exit.well()) {
        ++totals_.done;
        return Fate::done;
    }
    if (cut) {
        ++totals_.cut_off;
        return Fate::cut_off;
    }
    if (exit.signal == 0 && exit.code == kTryAgain && job.attempt <= retries_) {
        ++job.attempt;
        const Duration pause = pause_before_attempt(job.attempt);
        again_.emplace(now + pause, std::move(job));
        return Fate::again;
    }
    ++totals_.failed;
    return Fate::failed;
}

bool JobQueue::finished() const {
    return running_.empty() && (stopping_ || complete());
}

JobFigures JobQueue::figures() const {
    JobFigures figures = totals_;
    figures.seen = seen_;
    figures.skipped = skipped_;
    figures.running = running_.size();
    figures.waiting = queue_.size() + again_.size();
    return figures;
}

}  // namespace tidegate::fleet
