// A string of bytes that must not leak: a password, or what is as good as one. Its memory is locked against
// swapping and left out of core dumps where the system allows it, and wiped when it is given back. It moves, it does
// not copy by accident, compares in constant time, and has no way to be printed or logged.
// Thread-safe as a value is: one thread at a time, or const from many.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tidegate {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::span<const std::byte> bytes);
    explicit Secret(std::string_view text) : Secret(std::as_bytes(std::span(text.data(), text.size()))) {}
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();

    [[nodiscard]] Secret clone() const { return Secret(bytes()); }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

    // The bytes themselves, for as long as the secret lives. Do not copy them into a string.
    [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }

    // Takes as long for any two of the same length, whatever is in them.
    friend bool operator==(const Secret& a, const Secret& b) { return same_bytes(a.bytes(), b.bytes()); }
    [[nodiscard]] static bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b);

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

// Overwrites memory in a way that the compiler does not leave out.
void wipe(std::span<std::byte> memory);

// An array of bytes on the stack, wiped when it goes out of scope.
template <std::size_t N>
struct WipedBytes {
    WipedBytes() = default;
    WipedBytes(const WipedBytes&) = delete;
    WipedBytes& operator=(const WipedBytes&) = delete;
    ~WipedBytes() { wipe(bytes); }
    std::byte bytes[N]{};
};

}  // namespace tidegate
