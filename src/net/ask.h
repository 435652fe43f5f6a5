// A question from another thread to a loop's: asked there, answered here.
#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "net/loop.h"

namespace tidegate::net {

// Waits a second for the answer at most: a loop that ends, or is busy that long, gives none. `question` may run later
// all the same, so what it refers to lives as long as the loop.
template <class Question>
[[nodiscard]] std::optional<std::invoke_result_t<Question>> ask(Loop& loop, Question question) {
    using Answer = std::invoke_result_t<Question>;
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    loop.post([promise, question = std::move(question)] { promise->set_value(question()); });
    if (future.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return std::nullopt;
    return future.get();
}

// What a loop said last, for those on other threads who ask again and again. The loop keeps its answer itself: one that
// comes late is the next caller's. Lives as long as the loop. Thread-safe.
template <class Answer>
class LastAnswer {
public:
    // The first time there is nothing older to give, and a busy loop must not look like one that has nothing: waits ten
    // seconds for it, as long as `goes_on()`. An empty answer if none came.
    template <class Question, class GoesOn>
    [[nodiscard]] Answer ask(Loop& loop, Question question, GoesOn goes_on) {
        const auto look = [this, question = std::move(question)] {
            auto answer = question();
            const std::scoped_lock lock(mutex_);
            last_ = std::move(answer);
            return true;
        };
        for (int seconds = 0; goes_on() && !net::ask(loop, look) && !known() && seconds < kFirst; ++seconds) {
        }
        const std::scoped_lock lock(mutex_);
        return last_.value_or(Answer());
    }

private:
    static constexpr int kFirst = 10;

    [[nodiscard]] bool known() {
        const std::scoped_lock lock(mutex_);
        return last_.has_value();
    }

    std::mutex mutex_;
    std::optional<Answer> last_;  // guarded by mutex_
};

}  // namespace tidegate::net
