#include "api/console/desk.h"

#include <system_error>
#include <utility>

#include "api/console/answer.h"

namespace tidegate::api::console {

Desk::~Desk() {
    {
        const MutexLock lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Desk::ask(proxy::ConsoleQuestion question, std::function<void(proxy::ConsoleAnswer)> done) {
    if (!thread_.joinable() && !begin()) {
        done(Error{1135, "HY000", "The console cannot answer: the system gives the gate no thread for it"});
        return;
    }
    {
        const MutexLock lock(mutex_);
        line_.push_back({.question = std::move(question), .done = std::move(done)});
    }
    wake_.notify_one();
}

bool Desk::begin() {
    try {
        thread_ = std::thread([this] { work(); });
    } catch (const std::system_error&) {
        return false;
    }
    return true;
}

void Desk::work() {
    MutexLock lock(mutex_);
    while (true) {
        while (line_.empty() && !closing_) wake_.wait(lock.native());
        if (line_.empty()) return;
        const Case next = std::move(line_.front());
        line_.pop_front();
        lock.unlock();
        next.done(answer(next.question, sources_));
        lock.lock();
    }
}

}  // namespace tidegate::api::console
