// Memory for coroutine frames: freed blocks are kept by size and handed out again, so that a coroutine on the path of a
// statement costs no malloc. Each thread has its own; only so many blocks of a size are kept, the rest goes back.
#pragma once

#include <cstddef>

namespace tidegate::net {

[[nodiscard]] void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

}  // namespace tidegate::net
