#include "net/buffer.h"

#include <cstring>
#include <vector>

namespace tidegate::net {
namespace {

// Freed buffers of one size.
template <std::size_t Size, std::size_t Keep>
class Shelf {
public:
    Shelf() { free_.reserve(Keep); }
    ~Shelf() {
        for (std::byte* each : free_) delete[] each;
    }
    std::byte* take() {
        if (free_.empty()) return new std::byte[Size];
        std::byte* const data = free_.back();
        free_.pop_back();
        return data;
    }
    void give(std::byte* data) {
        if (free_.size() < Keep) {
            free_.push_back(data);
        } else {
            delete[] data;
        }
    }

private:
    std::vector<std::byte*> free_;
};

thread_local Shelf<Buffer::kSmall, 1024> small_ones;
thread_local Shelf<Buffer::kLarge, 32> large_ones;

}  // namespace

Buffer Buffer::small() {
    return {small_ones.take(), kSmall};
}
Buffer Buffer::large() {
    return {large_ones.take(), kLarge};
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    if (this != &other) {
        reset();
        data_ = std::exchange(other.data_, nullptr);
        capacity_ = std::exchange(other.capacity_, 0);
        begin_ = std::exchange(other.begin_, 0);
        end_ = std::exchange(other.end_, 0);
    }
    return *this;
}

void Buffer::reset() {
    if (data_ == nullptr) return;
    if (capacity_ == kSmall) {
        small_ones.give(data_);
    } else {
        large_ones.give(data_);
    }
    data_ = nullptr;
    capacity_ = begin_ = end_ = 0;
}

void Buffer::compact() {
    if (begin_ == 0) return;
    std::memmove(data_, data_ + begin_, size());
    end_ -= begin_;
    begin_ = 0;
}

void Buffer::widen() {
    if (capacity_ == kLarge) {
        compact();
        return;
    }
    Buffer wide = large();
    if (size() > 0) std::memcpy(wide.data_, data_ + begin_, size());
    wide.end_ = size();
    *this = std::move(wide);
}

Buffer Buffer::shrunk() {
    if (capacity_ == kSmall || size() > kSmall) return std::move(*this);
    Buffer copy = small();
    if (size() > 0) std::memcpy(copy.data_, data_ + begin_, size());
    copy.end_ = size();
    reset();
    return copy;
}

}  // namespace tidegate::net
