// The thousand clients: a thread each, with a real connection of the client library, all let loose at the same moment.
// The counters may be read while they run; the outcome when they have all come back.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace tidegate::demo {

struct Target {
    std::uint16_t port = 0;
    std::string user;
    std::string password;
    std::string schema;
    int phase = 0;  // written into the rows, so that each phase's can be told
};

struct Failure {
    unsigned number = 0;  // MySQL's
    unsigned clients = 0;
    std::string sentence;  // what the first of them was told
};

struct Outcome {
    unsigned clients = 0;
    unsigned succeeded = 0;
    std::vector<Failure> failures;  // the most frequent first
    double seconds = 0;             // from the start to the last client's end
    double median_ms = 0;           // of those who succeeded, connect to quit
    double p99_ms = 0;
    unsigned peak = 0;  // connections at the server
    [[nodiscard]] unsigned failed() const { return clients - succeeded; }
};

// What is to be seen while they run.
struct Progress {
    std::atomic<unsigned> succeeded{0};
    std::atomic<unsigned> failed{0};
};

constexpr unsigned kClientPatience = 10;  // seconds that a client waits for an answer

// Runs them all; `tick` is called a few times a second, on the caller's thread. An interrupt ends the waiting only when
// the server or the gate at the other end is gone: `tick` sees to that. Errors: threads could not be started.
class Crowd {
public:
    explicit Crowd(Target target) : target_(std::move(target)) {}
    template <class Tick>
    [[nodiscard]] Result<Outcome> run(unsigned clients, Tick tick) {
        if (auto started = start(clients); !started) return std::unexpected(started.error());
        while (!all_back()) tick(static_cast<const Progress&>(progress_));
        return finish();
    }

private:
    struct Client {
        std::uintptr_t thread = 0;  // pthread_t
        Crowd* crowd = nullptr;
        int index = 0;
        double ms = 0;
        unsigned error = 0;
        std::string sentence;
    };
    [[nodiscard]] Result<void> start(unsigned clients);
    [[nodiscard]] bool all_back();
    [[nodiscard]] Outcome finish();
    static void* client_main(void* client);
    void serve(Client& client);

    Target target_;
    Progress progress_;
    std::vector<Client> clients_;
    std::atomic<unsigned> back_{0};
    std::atomic<int> gate_{0};  // 0: wait at the start line, 1: go, 2: go home
    double began_ = 0;
    double ended_ = 0;
};

}  // namespace tidegate::demo
