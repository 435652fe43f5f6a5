#include "cli/run_top.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "config/values.h"

namespace tidegate::cli {
namespace {

constexpr Duration kPause = 500ms;
constexpr std::size_t kSaid = 5;

std::string age_of(Duration age) {
    const auto s = std::max<long>(0, static_cast<long>(seconds(age)));
    return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                    : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

// Those that are not simply running first: they are what one looks for.
std::vector<const fleet::Worker*> in_order(const fleet::Fleet& fleet) {
    const auto is_usual = [](const fleet::Worker& w) {
        return w.over() || w.state == fleet::WorkerState::running || w.state == fleet::WorkerState::waiting;
    };
    std::vector<const fleet::Worker*> all;
    for (const bool usual : {false, true}) {
        for (const auto& worker : fleet.workers()) {
            if (is_usual(worker) == usual) all.push_back(&worker);
        }
    }
    return all;
}

std::string row_of(const fleet::Worker& worker, int pid, TimePoint now) {
    return fmt::format(
        "{:>6} {:>8} {:<10} {:>8} {:>9} {:>10} {:>9}  {}", worker.id, pid > 0 ? std::to_string(pid) : "-",
        text_of(worker.state), worker.restarts, worker.jobs, worker.rss != 0 ? config::text_of_size(worker.rss) : "-",
        worker.alive() ? age_of(now - worker.started_at) : "-",
        worker.state == fleet::WorkerState::resting ? "after " + worker.last_exit.text() : worker.status);
}

}  // namespace

std::vector<std::string> top_lines(const fleet::Fleet& fleet, const std::function<int(fleet::WorkerId)>& pid,
                                   const std::string& server, const std::deque<std::string>& said, TimePoint now,
                                   std::size_t width, std::size_t height) {
    const auto figures = fleet.figures();
    std::vector<std::string> lines;
    lines.push_back(
        fmt::format("{} workers: {}{}", figures.workers, figures.text(), server.empty() ? "" : "; server: " + server));
    lines.push_back(fmt::format("jobs: {} done, {} failed; {} starts again, {} of them replaced; {} crashes, {} killed",
                                figures.jobs_done, figures.jobs_failed, figures.restarts, figures.recycled,
                                figures.crashes, figures.killed));
    lines.push_back(fmt::format("{:>6} {:>8} {:<10} {:>8} {:>9} {:>10} {:>9}  {}", "worker", "pid", "state", "restarts",
                                "jobs", "memory", "age", "status"));
    const std::size_t rows = height > lines.size() + said.size() ? height - lines.size() - said.size() : 0;
    const auto workers = in_order(fleet);
    const std::size_t shown = workers.size() <= rows ? workers.size() : (rows > 0 ? rows - 1 : 0);
    for (std::size_t i = 0; i < shown; ++i) lines.push_back(row_of(*workers[i], pid(workers[i]->id), now));
    if (shown < workers.size() && rows > 0) lines.push_back(fmt::format("   .. and {} more", workers.size() - shown));
    lines.insert(lines.end(), said.begin(), said.end());
    lines.resize(std::min(lines.size(), height));
    for (auto& line : lines) line.resize(std::min(line.size(), width));
    return lines;
}

void TopScreen::draw(const fleet::Fleet& fleet, const std::function<int(fleet::WorkerId)>& pid,
                     const std::string& server, TimePoint now) {
    if (open_ && now - drawn_at_ < kPause) return;
    drawn_at_ = now;
    winsize size{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    std::string screen = open_ ? "\033[H" : "\033[?1049h\033[?25l\033[H";
    open_ = true;
    bool first = true;
    for (const auto& line :
         top_lines(fleet, pid, server, said_, now, known ? size.ws_col : 80, known ? size.ws_row : 24)) {
        if (!std::exchange(first, false)) screen += "\r\n";
        screen += line + "\033[K";
    }
    fmt::print(stderr, "{}\033[J", screen);
    std::fflush(stderr);
}

void TopScreen::say(const std::string& sentence) {
    said_.push_back(sentence);
    if (said_.size() > kSaid) said_.pop_front();
}

void TopScreen::close() {
    if (!std::exchange(open_, false)) return;
    fmt::print(stderr, "\033[?1049l\033[?25h");
    for (const auto& sentence : said_) fmt::print(stderr, "{}\n", sentence);
    std::fflush(stderr);
}

}  // namespace tidegate::cli
