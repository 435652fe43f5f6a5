// Buffers on loan: whoever has bytes in hand holds one, whoever is idle holds none. Two sizes: small ones for a
// statement that waits in line, large ones for bytes on their way. Freed ones are kept, up to a limit, for the next.
// One thread.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace tidegate::net {

class Buffer {
public:
    static constexpr std::size_t kSmall = 512;
    static constexpr std::size_t kLarge = 32 * 1024;

    Buffer() = default;  // holds nothing
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          capacity_(std::exchange(other.capacity_, 0)),
          begin_(std::exchange(other.begin_, 0)),
          end_(std::exchange(other.end_, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer() { reset(); }

    [[nodiscard]] static Buffer small();
    [[nodiscard]] static Buffer large();

    [[nodiscard]] explicit operator bool() const { return data_ != nullptr; }
    void reset();

    [[nodiscard]] std::span<std::byte> filled() { return {data_ + begin_, end_ - begin_}; }
    [[nodiscard]] std::span<const std::byte> filled() const { return {data_ + begin_, end_ - begin_}; }
    [[nodiscard]] std::span<std::byte> room() { return {data_ + end_, capacity_ - end_}; }
    [[nodiscard]] std::size_t size() const { return end_ - begin_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }

    void commit(std::size_t n) { end_ += n; }  // n bytes were put into room()
    void consume(std::size_t n) {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    void widen();    // becomes a large one with as much room behind what is filled as there can be
    void compact();  // moves what is filled to the front, for more room behind it
    // A small buffer with the same bytes, where they fit; else this one. Leaves this empty.
    [[nodiscard]] Buffer shrunk();

private:
    Buffer(std::byte* data, std::size_t capacity) : data_(data), capacity_(capacity) {}

    std::byte* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace tidegate::net
