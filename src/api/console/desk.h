// Answers the console's questions one after another on a thread of its own, since the facts are asked of other threads.
// The thread begins with the first question. Open it before the gate runs, close it when that has ended and before what
// it asks is gone.
#pragma once

#include <condition_variable>
#include <deque>
#include <thread>

#include "api/console/sources.h"
#include "base/mutex.h"
#include "proxy/console.h"

namespace tidegate::api::console {

class Desk final : public proxy::Console {
public:
    explicit Desk(Sources sources) : sources_(std::move(sources)) {}
    ~Desk() override;
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    void ask(proxy::ConsoleQuestion question, std::function<void(proxy::ConsoleAnswer)> done) override;

private:
    struct Case {
        proxy::ConsoleQuestion question;
        std::function<void(proxy::ConsoleAnswer)> done;
    };

    [[nodiscard]] bool begin();
    void work();

    const Sources sources_;
    Mutex mutex_;
    std::condition_variable wake_;
    std::deque<Case> line_ TIDEGATE_GUARDED_BY(mutex_);
    bool closing_ TIDEGATE_GUARDED_BY(mutex_) = false;
    std::thread thread_;  // the asker's, until the end
};

}  // namespace tidegate::api::console
