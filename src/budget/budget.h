// How many connections there may be: what the configuration wants, what the server allows, what others hold, and what the
// server's refusals have taught. Pure: figures, events and times in, numbers out. Belongs to one thread.
#pragma once

#include <cstdint>

namespace tidegate::budget {

using AccountId = std::uint32_t;  // an index that the shell gives; small and dense

}  // namespace tidegate::budget
