// The load of thousands of clients, for `bench/run`: one thread, one epoll, raw clients (load_client.h).
//
//   load point  PORT CLIENTS SECONDS [prepared]    point selects, each client one after the other
//   load idle   PORT CLIENTS [tls]                 logs in, runs one statement each, holds until standard input ends
//   load churn  PORT CLIENTS SECONDS               connect, log in, SELECT 1, quit, again and again
//   load storm  PORT CLIENTS                       all at once: connect, log in, a query of 20 ms, quit
//   load big    PORT MEGABYTES                     one result of that size
//   load first  PORT                               tries until a statement is served
//
// The account is bench/bench, the schema sbtest as sysbench makes it. Says `go` when all are logged in and what is
// measured begins, and ends with one line of JSON.
#include <fmt/core.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "load_client.h"

namespace tidegate::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;
constexpr unsigned kRows = 10'000;         // as bench/run has sysbench make them
constexpr std::size_t kLoginsAtOnce = 64;  // where the logins are not what is measured

double seconds(Clock::duration d) {
    return std::chrono::duration<double>(d).count();
}

// All clients of a run, and what became of them.
class Load {
public:
    Load(std::uint16_t port, std::size_t clients, bool tls) : port_(port), wanted_(clients) {
        rlimit files{};
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        if (!tls) return;
        account_.tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(account_.tls, SSL_MODE_RELEASE_BUFFERS);
    }

    int point(double time, bool prepared) {
        log_in_all(prepared ? [](Client& c) { c.prepare("SELECT c FROM sbtest1 WHERE id=?"); }
                            : [](Client& c) { c.query("SELECT 1"); });
        const auto next = [this, prepared](Client& client) {
            client.since = Clock::now();
            const auto id = static_cast<std::uint32_t>(1 + random_() % kRows);
            if (prepared) {
                client.execute(id);
            } else {
                client.query(fmt::format("SELECT c FROM sbtest1 WHERE id={}", id));
            }
        };
        const auto begin = announce();
        const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(time));
        for (auto& client : clients_) {
            if (client->is_open()) next(*client);
        }
        while (Clock::now() < end && open_ > 0) {
            turn(
                [&](Client& client) {
                    took(client);
                    next(client);
                },
                end);
        }
        return report(Clock::now() - begin);
    }

    int idle() {
        log_in_all([](Client& c) { c.query("SELECT c FROM sbtest1 WHERE id=1"); });
        announce();
        for (pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}; poll(&input, 1, 1000) == 0;) {
            turn([](Client&) {}, Clock::now());
        }
        for (auto& client : clients_) {
            if (client->is_open()) client->quit();
        }
        return report(0s);
    }

    int churn(double time) {
        const auto begin = announce();
        const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(time));
        for (std::size_t i = 0; i < wanted_; ++i) start(*clients_.emplace_back(std::make_unique<Client>(account_)));
        while (Clock::now() < end) {
            turn([&](Client& client) { one_day(client, "SELECT 1"); }, end);
            for (auto& client : clients_) {
                if (!client->is_open()) start(*client);
            }
        }
        return report(Clock::now() - begin);
    }

    int storm() {
        const auto begin = announce();
        for (std::size_t i = 0; i < wanted_; ++i) start(*clients_.emplace_back(std::make_unique<Client>(account_)));
        const auto end = begin + kPatience;
        while (open_ > 0 && Clock::now() < end) {
            turn([&](Client& client) { one_day(client, "SELECT SLEEP(0.02)"); }, end);
        }
        for (auto& client : clients_) {
            if (client->is_open()) lose(*client, 0, "no answer in 30 s");
        }
        return report(Clock::now() - begin);
    }

    int big(unsigned megabytes) {
        log_in_all([](Client& c) { c.query("SELECT 1"); });
        const auto begin = announce();
        const auto before = clients_.front()->received();
        clients_.front()->query(fmt::format("SELECT REPEAT('x', 1000) FROM seq_1_to_{}", megabytes * 1000U));
        bool done = false;
        while (!done && open_ > 0) {
            turn(
                [&](Client& client) {
                    took(client);
                    done = true;
                },
                Clock::now() + kPatience);
        }
        bytes_ = clients_.front()->received() - before;
        return report(Clock::now() - begin);
    }

    int first() {
        const auto begin = announce();
        auto& client = *clients_.emplace_back(std::make_unique<Client>(account_));
        while (times_.empty() && Clock::now() < begin + kPatience) {
            if (!client.is_open()) {
                usleep(1000);  // leaves the processor to the one that starts
                start(client);
            }
            turn([&](Client& c) { one_day(c, "SELECT 1"); }, Clock::now() + 1ms);
        }
        failures_.clear();  // it was not up yet
        return report(Clock::now() - begin);
    }

private:
    Clock::time_point announce() {
        std::puts("go");
        std::fflush(stdout);
        return Clock::now();
    }

    void start(Client& client) {
        client.since = Clock::now();
        client.step = 0;
        if (client.connect(port_, epoll_)) {
            ++open_;
        } else {
            ++failures_[{2003, "cannot connect"}];
        }
    }

    void lose(Client& client, unsigned error, const std::string& message) {
        ++failures_[{error, message}];
        client.close();
        --open_;
    }

    void took(const Client& client) { times_.push_back(seconds(Clock::now() - client.since)); }

    // Logged in: the one statement; its reply: the end.
    void one_day(Client& client, const char* statement) {
        if (client.step++ == 0) return client.query(statement);
        took(client);
        client.quit();
        --open_;
    }

    // Everybody logs in, some at a time, and runs `statement` once.
    void log_in_all(const std::function<void(Client&)>& statement) {
        std::size_t under_way = 0;
        std::size_t done = 0;
        for (std::size_t i = 0; done + lost() < wanted_;) {
            while (under_way < kLoginsAtOnce && i < wanted_) {
                start(*clients_.emplace_back(std::make_unique<Client>(account_)));
                ++under_way;
                ++i;
            }
            const auto lost_before = lost();
            turn(
                [&](Client& client) {
                    if (client.step == 0) {
                        client.step = 1;
                        statement(client);
                        return;
                    }
                    ++done;
                    --under_way;
                },
                Clock::now() + 1s);
            under_way -= std::min(under_way, lost() - lost_before);
        }
    }

    [[nodiscard]] std::size_t lost() const {
        std::size_t all = 0;
        for (const auto& [what, count] : failures_) all += count;
        return all;
    }

    template <class Ready>
    void turn(Ready ready, Clock::time_point until) {
        const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        const int count = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                                     static_cast<int>(std::max<long>(wait, 0)));
        for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i) {
            auto& client = *static_cast<Client*>(events_[i].data.ptr);
            switch (client.on_readable()) {
                case Event::none:
                    break;
                case Event::ready:
                    ready(client);
                    break;
                case Event::failed:
                    lose(client, client.error(), client.message());
                    break;
            }
        }
    }

    int report(Clock::duration took) {
        std::ranges::sort(times_);
        const auto at = [&](double share) {
            return times_.empty() ? 0
                                  : times_[static_cast<std::size_t>(share * static_cast<double>(times_.size() - 1))];
        };
        std::string failures;
        for (const auto& [what, count] : failures_) {
            std::string message;
            for (const char c : what.second) message += c == '"' || c == '\\' || c < ' ' ? '\'' : c;
            failures += fmt::format(R"({}{{"errno": {}, "message": "{}", "count": {}}})", failures.empty() ? "" : ", ",
                                    what.first, message, count);
        }
        fmt::print(R"({{"clients": {}, "done": {}, "failed": {}, "seconds": {:.6f}, "p50": {:.7f}, "p99": {:.7f}, )"
                   R"("max": {:.7f}, "bytes": {}, "failures": [{}]}})"
                   "\n",
                   wanted_, times_.size(), lost(), seconds(took), at(0.5), at(0.99), at(1), bytes_, failures);
        return 0;
    }

    std::uint16_t port_;
    std::size_t wanted_;
    Account account_{.user = "bench", .password = "bench", .schema = "sbtest"};
    int epoll_ = -1;
    std::array<epoll_event, 512> events_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::size_t open_ = 0;
    std::vector<double> times_;
    std::map<std::pair<unsigned, std::string>, std::size_t> failures_;
    std::uint64_t bytes_ = 0;
    std::minstd_rand random_{1};
};

int run(const std::vector<std::string>& words) {
    const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string(); };
    const auto number = [&](std::size_t i) { return std::strtoul(word(i).c_str(), nullptr, 10); };
    const auto port = static_cast<std::uint16_t>(number(1));
    const std::string mode = word(0);
    if (mode == "point")
        return Load(port, number(2), false).point(std::strtod(word(3).c_str(), nullptr), word(4) == "prepared");
    if (mode == "idle") return Load(port, number(2), word(3) == "tls").idle();
    if (mode == "churn") return Load(port, number(2), false).churn(std::strtod(word(3).c_str(), nullptr));
    if (mode == "storm") return Load(port, number(2), false).storm();
    if (mode == "big") return Load(port, 1, false).big(static_cast<unsigned>(number(2)));
    if (mode == "first") return Load(port, 1, false).first();
    std::fputs("usage: load point|idle|churn|storm|big|first PORT ..    (see load.cc)\n", stderr);
    return 64;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
    return tidegate::bench::run({argv + 1, argv + argc});
}
