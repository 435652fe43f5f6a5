// What a slot costs: taken and given back by one alone, and handed from a holder to the one who waits. Through the
// pool's file, and through a gate's socket where TIDEGATE_SLOTS names the folder of one that runs, with `max = 1` in
// [slots].
#include <benchmark/benchmark.h>
#include <poll.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "slots/door.h"

namespace {

using namespace tidegate;
using namespace tidegate::slots;

// A folder of its own, gone with the benchmark.
class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / "tidegate-bench-XXXXXX") {
        if (mkdtemp(path_.data()) == nullptr) abort();
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] Door door() const { return Door(Place{path_}); }

private:
    std::string path_;
};

Claim claim_of(unsigned slots) {
    Claim claim = make_claim("bench", 60s, Clock::now());
    claim.slots = slots;
    return claim;
}

void take_and_give_back(benchmark::State& state, const Door& door, unsigned slots) {
    const Claim claim = claim_of(slots);
    for (auto _ : state) {
        auto slot = door.acquire(claim);
        if (!slot) abort();
    }
}

// One slot and two who take turns: from its return to its being taken by the one who waited.
void hand_over(benchmark::State& state, const Door& door) {
    auto held = door.acquire(claim_of(1));
    if (!held) abort();
    for (auto _ : state) {
        Turn turn(door.place(), claim_of(1), Clock::now());
        auto got = turn.look(Clock::now());
        if (got) abort();
        held->give_back();
        while (!got) {
            pollfd heard{.fd = turn.descriptor(), .events = POLLIN, .revents = 0};
            poll(&heard, 1, 1);
            got = turn.look(Clock::now());
        }
        if (!*got) abort();
        held = std::move(**got);
    }
}

std::optional<Door> gate(benchmark::State& state) {
    const char* folder = std::getenv("TIDEGATE_SLOTS");
    if (folder != nullptr && std::filesystem::exists(std::string(folder) + "/gate.sock")) return Door(Place{folder});
    state.SkipWithError("TIDEGATE_SLOTS names no folder of a running gate");
    return std::nullopt;
}

void file_take_and_give_back(benchmark::State& state) {
    const Folder folder;
    take_and_give_back(state, folder.door(), 150);
}
BENCHMARK(file_take_and_give_back);

void file_hand_over(benchmark::State& state) {
    const Folder folder;
    hand_over(state, folder.door());
}
BENCHMARK(file_hand_over)->UseRealTime();

void gate_take_and_give_back(benchmark::State& state) {
    if (const auto door = gate(state)) take_and_give_back(state, *door, 1);
}
BENCHMARK(gate_take_and_give_back)->UseRealTime();

void gate_hand_over(benchmark::State& state) {
    if (const auto door = gate(state)) hand_over(state, *door);
}
BENCHMARK(gate_hand_over)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
