// What a byte may be in a statement, as bits, for the lexer's loops.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tidegate::sql {

namespace byte_class {
inline constexpr std::uint8_t kSpace = 1;
inline constexpr std::uint8_t kLetter = 2;  // may begin a word: letters, _, $, everything beyond ASCII
inline constexpr std::uint8_t kDigit = 4;
inline constexpr std::uint8_t kWord = kLetter | kDigit;
inline constexpr std::uint8_t kHigh = 8;     // beyond ASCII
inline constexpr std::uint8_t kSingle = 16;  // a token by itself
inline constexpr std::uint8_t kQuote = 32;
inline constexpr std::uint8_t kSpecial = 64;  // what it is depends on what follows
inline constexpr std::uint8_t kAscii = 128;   // may be in a word, and is ASCII
}  // namespace byte_class

consteval std::array<std::uint8_t, 256> make_byte_classes() {
    std::array<std::uint8_t, 256> table{};
    const auto set = [&table](std::string_view bytes, std::uint8_t bits) {
        for (const char b : bytes) {
            table[static_cast<unsigned char>(b)] = bits;
        }
    };
    set(" \t\n\v\f\r", byte_class::kSpace);
    set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$", byte_class::kLetter | byte_class::kAscii);
    set("0123456789", byte_class::kDigit | byte_class::kAscii);
    set("(),;=", byte_class::kSingle);
    set("'\"`", byte_class::kQuote);
    set("@:.-/*#\\", byte_class::kSpecial);
    for (std::size_t i = 0x80; i < 0x100; ++i) {
        table[i] = byte_class::kLetter | byte_class::kHigh;
    }
    return table;
}
inline constexpr std::array<std::uint8_t, 256> kByteClasses = make_byte_classes();

inline std::uint8_t class_of(char c) {
    return kByteClasses[static_cast<unsigned char>(c)];
}

}  // namespace tidegate::sql
