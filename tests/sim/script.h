// Random events for a small pool, read from bytes: RapidCheck's, or a fuzzer's. Every event is one that a shell could
// see.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tidegate::sim {

// Plays it, then lets everything come to an end. The first rule that was broken, with the time; empty: none.
[[nodiscard]] std::optional<std::string> play(std::span<const std::uint8_t> script);

}  // namespace tidegate::sim
