// What the library's pool costs: acquire and release beside a bare mutex and vector, and the hand-off from a holder to
// the next in line. The connections do nothing, since what they do is the server's time.
#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "client/pool_shell.h"

namespace {

using namespace tidegate;
using namespace tidegate::client;

class NoConnection final : public Connection {
public:
    Result<Rows> query(std::string_view) override { return Rows(); }
    Result<Rows> execute(std::string_view, std::span<const Parameter>) override { return Rows(); }
    Result<void> start_stream(std::string_view, std::span<const Parameter>) override { return {}; }
    [[nodiscard]] bool streaming() const override { return false; }
    [[nodiscard]] std::span<const Column> stream_columns() const override { return {}; }
    Result<bool> fetch(std::vector<Value>&) override { return false; }
    Result<void> ping() override { return {}; }
    Result<void> reset() override { return {}; }
    void abort() override {}
    [[nodiscard]] bool lost() const override { return false; }
    [[nodiscard]] bool quiet() const override { return true; }
    [[nodiscard]] bool dirty() const override { return false; }
    [[nodiscard]] bool beyond_reset() const override { return false; }
    [[nodiscard]] std::string version() const override { return ""; }
    [[nodiscard]] std::uint64_t id() const override { return 0; }
};

std::shared_ptr<PoolShell> pool_of(unsigned connections) {
    const auto open = []() -> Result<std::unique_ptr<Connection>> { return std::make_unique<NoConnection>(); };
    auto pool = std::make_shared<PoolShell>(CoreOptions{.server = "nowhere", .max = connections}, open, nullptr);
    std::vector<detail::Hold> all;
    for (unsigned i = 0; i < connections; ++i) all.push_back(*pool->acquire(TimePoint::max(), {}, {}));
    for (const auto& hold : all) pool->give_back(*hold.seat, true);
    return pool;
}

// The least that a pool could be.
void mutex_and_vector(benchmark::State& state) {
    static std::mutex mutex;
    static std::vector<int*> idle(16);
    for (auto _ : state) {
        int* taken = nullptr;
        {
            const std::lock_guard lock(mutex);
            taken = idle.back();
            idle.pop_back();
        }
        benchmark::DoNotOptimize(taken);
        const std::lock_guard lock(mutex);
        idle.push_back(taken);
    }
}
BENCHMARK(mutex_and_vector)->ThreadRange(1, 4);

void acquire_and_release(benchmark::State& state) {
    static const auto pool = pool_of(16);
    for (auto _ : state) {
        const auto hold = pool->acquire(TimePoint::max(), {}, std::source_location::current());
        benchmark::DoNotOptimize(hold->seat);
        pool->give_back(*hold->seat, true);
    }
}
BENCHMARK(acquire_and_release)->ThreadRange(1, 4);

// One connection, two threads: each gives it back only when the other stands in line, so that every release wakes
// somebody. An iteration is two hand-offs, there and back.
void hand_off_and_back(benchmark::State& state) {
    const auto pool = pool_of(1);
    const auto take = [&] { return *pool->acquire(TimePoint::max(), {}, std::source_location::current()); };
    std::atomic<bool> ending = false;
    auto mine = take();
    std::thread partner([&] {
        while (!ending) {
            const auto hold = take();
            while (!ending && pool->stats().waiting == 0) std::this_thread::yield();
            pool->give_back(*hold.seat, true);
        }
    });
    for (auto _ : state) {
        while (pool->stats().waiting == 0) std::this_thread::yield();
        pool->give_back(*mine.seat, true);
        mine = take();
    }
    ending = true;
    pool->give_back(*mine.seat, true);
    partner.join();
}
BENCHMARK(hand_off_and_back)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
