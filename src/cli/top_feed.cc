#include "cli/top_feed.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "cli/audit_log.h"
#include "watch/killer.h"

namespace tidegate::cli {
namespace {

using watch::End;
using watch::TopVictim;

constexpr Duration kEverythingAnew = 60s;  // limits and accounts, which seldom change
constexpr Duration kSlow = 3s;             // a look that takes so long is told of
constexpr Duration kFarewell = 300ms;

std::string clock_text(watch::WallTime at) {
    return fmt::format("{:%H:%M:%S}", fmt::localtime(std::chrono::system_clock::to_time_t(at)));
}

std::string result_of(const watch::Killed& killed, bool query_only) {
    const auto id = killed.connection.id;
    switch (killed.end) {
        case End::ended:
            return query_only ? fmt::format("stopped the statement of connection {}", id)
                              : fmt::format("ended {}", sentence_of(killed.connection));
        case End::changed:
            return fmt::format("left connection {} alone: it has woken, or is another by now", id);
        case End::gone:
            return fmt::format("connection {} had ended by itself", id);
        case End::refused:
            break;
    }
    return fmt::format("connection {} was not ended: {}", id, killed.why);
}

}  // namespace

// Between the two threads; outlives the screen where the server holds up the other one.
struct TopFeed::Shared {
    mutable std::mutex mutex;
    std::condition_variable changed;
    bool stop = false;
    bool ended = false;
    bool look_now = false;
    bool paused = false;
    Duration every = 2s;
    std::deque<TopVictim> victims;
    std::shared_ptr<const watch::TopPicture> picture;
    std::string said;
    std::string error;                  // of the last look
    watch::WallTime good_at{};          // the last look that worked
    TimePoint good{};                   // the same
    std::optional<TimePoint> asking{};  // the server has been asked and has not answered
};

// What the thread does.
class TopFeed::Loop {
public:
    Loop(std::shared_ptr<Shared> shared, WayIn way, watch::Snapshot first, TopLook look, std::string audit_log,
         int wake)
        : shared_(std::move(shared)),
          way_(std::move(way)),
          last_(std::move(first)),
          painter_(look),
          audit_log_(std::move(audit_log)),
          wake_(wake) {}

    void run() {
        show(last_);
        everything_at_ = Clock::now() + kEverythingAnew;
        while (const auto next = wait()) {
            if (*next)
                end(**next);
            else
                look();
        }
        const std::lock_guard lock(shared_->mutex);
        shared_->ended = true;
        shared_->changed.notify_all();
    }

private:
    // Somebody to end, or nobody: a look is due. Nothing at all: stop.
    std::optional<std::optional<TopVictim>> wait() {
        std::unique_lock lock(shared_->mutex);
        auto& s = *shared_;
        while (true) {
            if (s.stop) return std::nullopt;
            if (!s.victims.empty()) {
                auto victim = std::move(s.victims.front());
                s.victims.pop_front();
                return std::optional(std::move(victim));
            }
            const auto due = looked_at_ + s.every;
            if (std::exchange(s.look_now, false) || (!s.paused && Clock::now() >= due))
                return std::optional<TopVictim>();
            if (s.paused)
                s.changed.wait(lock);
            else
                s.changed.wait_until(lock, due);
        }
    }

    Result<watch::Snapshot> ask() {
        if (inside_) {
            const bool everything = Clock::now() >= everything_at_;
            auto seen = everything ? way_.look() : way_.look_again(last_);
            if (seen && everything) everything_at_ = Clock::now() + kEverythingAnew;
            if (seen) return seen;
        }
        // The connection may have been ended, or the server is another one by now.
        inside_ = false;
        way_.look_for_gate_again();
        if (auto opened = way_.open_again(); !opened) return std::unexpected(opened.error());
        inside_ = true;
        return way_.look();
    }

    void look() {
        looked_at_ = Clock::now();
        set_asking(looked_at_);
        auto seen = ask();
        if (seen) {
            last_ = std::move(*seen);
            show(last_);
            return;
        }
        const std::lock_guard lock(shared_->mutex);
        shared_->asking.reset();
        shared_->error = fmt::format("{} ({})", seen.error().message, seen.error().code);
        wake();
    }

    void show(const watch::Snapshot& snapshot) {
        auto picture = std::make_shared<const watch::TopPicture>(painter_.paint(way_, snapshot));
        const std::lock_guard lock(shared_->mutex);
        shared_->picture = std::move(picture);
        shared_->good_at = snapshot.taken;
        shared_->good = looked_at_ = Clock::now();
        shared_->error.clear();
        shared_->asking.reset();
        wake();
    }

    void end(const TopVictim& victim) {
        set_asking(Clock::now());
        const auto killed = inside_ ? watch::kill(way_.session(), last_, victim.connection, victim.query_only)
                                    : watch::Killed{victim.connection, End::refused, "the server does not answer"};
        auto said = result_of(killed, victim.query_only);
        const AuditLog audit(audit_file(audit_log_));
        audit.write(name_of(killed.end), way_.server().text(), sentence_of(killed.connection),
                    victim.query_only ? "chosen in tidegate top; only its statement" : "chosen in tidegate top",
                    killed.why);
        {
            const std::lock_guard lock(shared_->mutex);
            shared_->said = std::move(said);
            shared_->look_now = true;
            shared_->asking.reset();
        }
        wake();
    }

    void set_asking(TimePoint since) {
        const std::lock_guard lock(shared_->mutex);
        shared_->asking = since;
    }

    void wake() const {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
    }

    std::shared_ptr<Shared> shared_;
    WayIn way_;
    watch::Snapshot last_;
    TopPainter painter_;
    std::string audit_log_;
    int wake_;
    bool inside_ = true;
    TimePoint looked_at_{};
    TimePoint everything_at_{};
};

TopFeed::TopFeed(WayIn way, watch::Snapshot first, TopLook look, std::string audit_log, int wake)
    : shared_(std::make_shared<Shared>()) {
    shared_->good = Clock::now();
    auto loop = std::make_unique<Loop>(shared_, std::move(way), std::move(first), look, std::move(audit_log), wake);
    // Signals are the screen's: it is waiting for them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([loop = std::move(loop)] { loop->run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TopFeed::~TopFeed() {
    if (!stop()) thread_.detach();
}

bool TopFeed::stop() {
    if (!thread_.joinable()) return true;
    std::unique_lock lock(shared_->mutex);
    shared_->stop = true;
    shared_->changed.notify_all();
    if (!shared_->changed.wait_for(lock, kFarewell, [this] { return shared_->ended; })) return false;
    lock.unlock();
    thread_.join();
    return true;
}

void TopFeed::set(Duration every, bool paused) {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->every == every && shared_->paused == paused) return;
    shared_->every = every;
    shared_->paused = paused;
    shared_->changed.notify_all();
}

void TopFeed::look_now() {
    const std::lock_guard lock(shared_->mutex);
    shared_->look_now = true;
    shared_->changed.notify_all();
}

void TopFeed::end(TopVictim victim) {
    const std::lock_guard lock(shared_->mutex);
    shared_->victims.push_back(std::move(victim));
    shared_->changed.notify_all();
}

std::shared_ptr<const watch::TopPicture> TopFeed::take_picture() {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->picture, nullptr);
}

std::string TopFeed::take_said() {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->said, "");
}

std::string TopFeed::trouble(TimePoint now) const {
    const std::lock_guard lock(shared_->mutex);
    const auto& s = *shared_;
    const bool slow = s.asking && now - *s.asking >= kSlow;
    if (s.error.empty() && !slow) return "";
    return fmt::format("no answer since {} ({}), asking on: {}", clock_text(s.good_at), watch::short_time(now - s.good),
                       s.error.empty() ? "the server takes its time" : s.error);
}

}  // namespace tidegate::cli
