// Secrets live in slots of one locked region, so that a hundred of them do not lock a hundred pages (unprivileged
// processes may lock little), and so that giving one back does not unlock its neighbour's page. What does not fit
// there, by size or number, gets pages of its own.
#include "base/secret.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace tidegate {
namespace {

std::byte* map_locked(std::size_t size) {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    // Both are best effort: a container may forbid locking, and an unlocked password still logs in.
    (void)::mlock(memory, size);
    (void)::madvise(memory, size, MADV_DONTDUMP);
    return static_cast<std::byte*>(memory);
}

class LockedSlots {
public:
    static constexpr std::size_t slot_size = 64;
    static constexpr std::size_t slots = 512;

    std::byte* take(std::size_t size) {
        if (size <= slot_size) {
            const std::lock_guard lock(mutex_);
            if (region_ == nullptr) set_up();
            if (!free_.empty()) {
                std::byte* slot = region_ + std::size_t{free_.back()} * slot_size;
                free_.pop_back();
                return slot;
            }
        }
        return map_locked(size);
    }

    void give_back(std::byte* data, std::size_t size) {
        wipe({data, size});
        const std::lock_guard lock(mutex_);
        if (data >= region_ && data < region_ + slots * slot_size) {
            free_.push_back(static_cast<std::uint16_t>(static_cast<std::size_t>(data - region_) / slot_size));
        } else {
            (void)::munmap(data, size);
        }
    }

private:
    void set_up() {
        region_ = map_locked(slots * slot_size);
        free_.reserve(slots);
        for (std::size_t i = slots; i-- > 0;) free_.push_back(static_cast<std::uint16_t>(i));
    }

    std::mutex mutex_;
    std::byte* region_ = nullptr;
    std::vector<std::uint16_t> free_;
};

// Never destroyed: a secret with static lifetime may outlive it otherwise.
LockedSlots& locked_slots() {
    static auto* slots = new LockedSlots;
    return *slots;
}

}  // namespace

void wipe(std::span<std::byte> memory) {
    if (!memory.empty()) ::explicit_bzero(memory.data(), memory.size());
}

Secret::Secret(std::span<const std::byte> bytes) : size_(bytes.size()) {
    if (bytes.empty()) return;
    data_ = locked_slots().take(size_);
    std::memcpy(data_, bytes.data(), size_);
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Secret::~Secret() {
    if (data_ != nullptr) locked_slots().give_back(data_, size_);
}

bool Secret::same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference |= std::to_integer<unsigned>(a[i] ^ b[i]);
    // Opaque to the optimizer, which could otherwise leave the loop at the first difference.
    asm volatile("" : "+r"(difference));
    return difference == 0;
}

}  // namespace tidegate
