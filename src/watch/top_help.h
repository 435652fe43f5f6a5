// The help of `tidegate top`: every key, in 80 columns.
#pragma once

#include <span>

namespace tidegate::watch {

[[nodiscard]] std::span<const char* const> top_help();

}  // namespace tidegate::watch
