// A question from another thread to a loop's: asked there, answered here.
#pragma once

#include <future>
#include <memory>
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

}  // namespace tidegate::net
