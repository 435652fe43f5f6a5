#include "net/frame_pool.h"

#include <array>
#include <cstdint>
#include <new>

namespace tidegate::net {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kLargest = 2048;  // larger frames are rare: malloc
constexpr std::uint32_t kKeep = 64;     // blocks kept of each size

struct Block {
    Block* next;
};

class FramePool {
public:
    ~FramePool() {
        for (Shelf& shelf : shelves_) {
            while (shelf.first != nullptr) ::operator delete(pop(shelf));
        }
    }

    void* take(std::size_t size) {
        Shelf& shelf = shelves_[index_of(size)];
        if (shelf.first != nullptr) return pop(shelf);
        return ::operator new((index_of(size) + 1) * kStep);
    }

    void give(void* frame, std::size_t size) noexcept {
        Shelf& shelf = shelves_[index_of(size)];
        if (shelf.count == kKeep) {
            ::operator delete(frame);
            return;
        }
        shelf.first = ::new (frame) Block{shelf.first};
        ++shelf.count;
    }

private:
    struct Shelf {
        Block* first = nullptr;
        std::uint32_t count = 0;
    };

    static std::size_t index_of(std::size_t size) { return (size - 1) / kStep; }

    static void* pop(Shelf& shelf) {
        Block* block = shelf.first;
        shelf.first = block->next;
        --shelf.count;
        return block;
    }

    std::array<Shelf, kLargest / kStep> shelves_{};
};

thread_local FramePool frames;

}  // namespace

void* allocate_frame(std::size_t size) {
    return size > kLargest ? ::operator new(size) : frames.take(size);
}

void free_frame(void* frame, std::size_t size) noexcept {
    if (size > kLargest) {
        ::operator delete(frame);
    } else {
        frames.give(frame, size);
    }
}

}  // namespace tidegate::net
