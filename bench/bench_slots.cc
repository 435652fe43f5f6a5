// What a slot costs, through the pool's file: taken and given back by one alone, and handed from a holder to the one
// who waits. With a folder that TIDEGATE_SLOTS names on a disk, or in /dev/shm.
#include <benchmark/benchmark.h>
#include <poll.h>
#include <stdlib.h>

#include <array>
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

void take_and_give_back(benchmark::State& state) {
    const Folder folder;
    const Door door = folder.door();
    const Claim claim = claim_of(150);
    for (auto _ : state) {
        auto slot = door.acquire(claim);
        if (!slot) abort();
    }
}
BENCHMARK(take_and_give_back);

// One slot and two who take turns: from its return to its being taken by the one who waited.
void hand_over(benchmark::State& state) {
    const Folder folder;
    const Door door = folder.door();
    auto held = door.acquire(claim_of(1));
    if (!held) abort();
    for (auto _ : state) {
        FileTurn turn(door.place(), claim_of(1), Clock::now());
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
BENCHMARK(hand_over);

}  // namespace

BENCHMARK_MAIN();
