// Any events in any order against the pool, held against the rules of tests/sim/ledger.h.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "sim/script.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto broken = tidegate::sim::play(std::span(data, size))) {
        std::fprintf(stderr, "%s\n", broken->c_str());
        std::abort();
    }
    return 0;
}
