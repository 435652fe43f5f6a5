#include "twin/play.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace tidegate::twin {
namespace {

using namespace std::chrono_literals;

constexpr auto kMoment = 3ms;

// A client in a thread of its own.
class Player {
public:
    Player(const Place& place, const std::vector<Act>& acts)
        : session_(std::make_unique<Session>(place)), acts_(acts), thread_([this] { run(); }) {}

    ~Player() { thread_.join(); }
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    [[nodiscard]] bool has_more() const { return told_ < acts_.size(); }

    // Lets it do one step more; waits a moment for its end.
    void go_on() {
        std::unique_lock lock(mutex_);
        ++told_;
        changed_.notify_all();
        changed_.wait_for(lock, kMoment, [this] { return replies_.size() == told_; });
    }

    std::vector<std::string> end() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return over_; });
        return std::move(replies_);
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (replies_.size() < acts_.size()) {
            changed_.wait(lock, [this] { return told_ > replies_.size(); });
            const auto& act = acts_[replies_.size()];
            lock.unlock();
            auto reply = session_->act(act);
            lock.lock();
            replies_.push_back(std::move(reply));
            changed_.notify_all();
        }
        lock.unlock();
        session_.reset();  // whatever it held is free for the others
        lock.lock();
        over_ = true;
        changed_.notify_all();
    }

    std::unique_ptr<Session> session_;
    const std::vector<Act>& acts_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t told_ = 0;
    std::vector<std::string> replies_;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace

std::vector<std::vector<std::string>> play(const Interleaving& what, const Place& place) {
    std::deque<Player> players;
    for (const auto& acts : what.clients) players.emplace_back(place, acts);
    for (const auto turn : what.order)
        if (auto& player = players[turn % players.size()]; player.has_more()) player.go_on();
    for (bool more = true; more;) {
        more = false;
        for (auto& player : players) {
            if (!player.has_more()) continue;
            player.go_on();
            more = true;
        }
    }
    std::vector<std::vector<std::string>> replies;
    replies.reserve(players.size());
    for (auto& player : players) replies.push_back(player.end());
    return replies;
}

}  // namespace tidegate::twin
