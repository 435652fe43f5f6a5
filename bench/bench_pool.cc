// What a lease costs: taken and given back with nobody waiting, handed over while a thousand wait, and with accounts
// competing.
#include <benchmark/benchmark.h>

#include <deque>
#include <vector>

#include "pool/pool.h"

namespace {

using namespace tidegate;
using namespace tidegate::pool;

// Opens at once, and keeps the last that was granted.
class Shell : private Actions {
public:
    Shell(unsigned connections, std::size_t clients, unsigned accounts = 1)
        : budget({.max_connections = connections, .opening_at_once = connections}),
          pool({.wait_timeout = 1h, .max_waiting = clients + 1}, budget, *this) {
        for (std::size_t i = 0; i < clients; ++i) {
            Request& request = requests.emplace_back();
            request.session = i + 1;
            request.key.account = static_cast<budget::AccountId>(i % accounts);
        }
    }
    // Lets everybody ask; those that get nothing wait.
    void fill() {
        for (Request& request : requests) {
            benchmark::DoNotOptimize(pool.acquire(request, now).what);
            while (!opening.empty()) {
                Connection& connection = connections.emplace_back();
                connection.key = opening.back().first;
                connection.generation = opening.back().second;
                opening.pop_back();
                pool.opened(connection, now);
            }
        }
    }

    budget::Budget budget;
    Pool pool;
    TimePoint now = TimePoint{} + 1h;
    std::deque<Request> requests;
    std::deque<Connection> connections;
    std::vector<std::pair<Key, std::uint64_t>> opening;
    std::deque<Request*> granted;
    std::deque<Connection*> leased;

private:
    void open(Key key, std::uint64_t generation) override { opening.emplace_back(key, generation); }
    void close(Connection&, CloseReason) override {}
    void grant(Request& request, Connection& connection) override {
        granted.push_back(&request);
        leased.push_back(&connection);
    }
    void refuse(Request&, const Error&) override {}
    void log(std::string_view) override {}
};

void AcquireRelease(benchmark::State& state) {
    Shell shell(16, 1);
    shell.fill();
    shell.pool.release(shell.connections.front(), shell.now);
    Request& request = shell.requests.front();
    for (auto _ : state) {
        shell.now += 1us;
        const Answer answer = shell.pool.acquire(request, shell.now);
        shell.pool.release(*answer.connection, shell.now);
    }
}
BENCHMARK(AcquireRelease);

// Sixteen connections, sixty-four sessions in turn: the favourite is seldom idle.
void AcquireReleaseByMany(benchmark::State& state) {
    Shell shell(16, 64);
    shell.fill();
    while (!shell.leased.empty()) {
        Connection* connection = shell.leased.front();
        shell.leased.pop_front();
        shell.pool.release(*connection, shell.now);
    }
    std::size_t next = 0;
    for (auto _ : state) {
        shell.now += 1us;
        const Answer answer = shell.pool.acquire(shell.requests[next++ % 64], shell.now);
        shell.pool.release(*answer.connection, shell.now);
    }
}
BENCHMARK(AcquireReleaseByMany);

// Everybody asks again as soon as it was served: each round is one release, one grant to the head, one place in the
// line.
void HandOver(benchmark::State& state) {
    const auto waiting = static_cast<std::size_t>(state.range(0));
    Shell shell(100, waiting + 100, static_cast<unsigned>(state.range(1)));
    shell.fill();
    for (auto _ : state) {
        shell.now += 1us;
        Request* done = shell.granted.front();
        Connection* connection = shell.leased.front();
        shell.granted.pop_front();
        shell.leased.pop_front();
        shell.pool.release(*connection, shell.now);
        benchmark::DoNotOptimize(shell.pool.acquire(*done, shell.now).what);
    }
    state.counters["waiting"] = static_cast<double>(shell.pool.waiting());
}
BENCHMARK(HandOver)->ArgNames({"waiting", "accounts"})->Args({1000, 1})->Args({50000, 1})->Args({1000, 4});

void Tick(benchmark::State& state) {
    Shell shell(100, 10100);
    shell.fill();
    for (auto _ : state) {
        shell.now += 100ms;
        if (shell.now >= TimePoint{} + 110min) shell.now = TimePoint{} + 1h;  // nobody's deadline comes
        shell.pool.tick(shell.now);
    }
}
BENCHMARK(Tick);

}  // namespace

BENCHMARK_MAIN();
