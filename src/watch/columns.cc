#include "watch/columns.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tidegate::watch {
namespace {

struct Character {
    std::size_t bytes = 1;
    std::size_t columns = 1;
};

struct Range {
    char32_t first;
    char32_t last;
};
// Marks that stand on the character before them.
constexpr std::array<Range, 5> kNone{
    {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}};
// East Asian characters and pictures take two columns.
constexpr std::array<Range, 9> kTwo{{{0x1100, 0x115F},
                                     {0x2E80, 0xA4CF},
                                     {0xAC00, 0xD7A3},
                                     {0xF900, 0xFAFF},
                                     {0xFE30, 0xFE6F},
                                     {0xFF00, 0xFF60},
                                     {0xFFE0, 0xFFE6},
                                     {0x1F300, 0x1FAFF},
                                     {0x20000, 0x3FFFD}}};

template <std::size_t Size>
bool is_in(const std::array<Range, Size>& ranges, char32_t c) {
    return std::ranges::any_of(ranges, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

Character first_of(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (bytes == 1 || bytes > text.size()) return {};
    char32_t c = lead & (0xFFU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0U) != 0x80U) return {};
        c = (c << 6U) | (next & 0x3FU);
    }
    if (is_in(kNone, c)) return {.bytes = bytes, .columns = 0};
    return {.bytes = bytes, .columns = is_in(kTwo, c) ? 2U : 1U};
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto character = first_of(text);
        columns += character.columns;
        text.remove_prefix(character.bytes);
    }
    return columns;
}

std::string first_columns(std::string_view text, std::size_t width) {
    std::size_t bytes = 0;
    std::size_t columns = 0;
    while (bytes < text.size()) {
        const auto character = first_of(text.substr(bytes));
        if (columns + character.columns > width) break;
        columns += character.columns;
        bytes += character.bytes;
    }
    return std::string(text.substr(0, bytes));
}

std::string last_columns(std::string_view text, std::size_t width) {
    std::size_t columns = columns_of(text);
    while (columns > width) {
        const auto character = first_of(text);
        columns -= character.columns;
        text.remove_prefix(character.bytes);
    }
    return std::string(text);
}

std::string padded(std::string_view text, std::size_t width, bool right) {
    std::string shown(text);
    std::size_t columns = columns_of(text);
    if (columns > width) {
        const std::size_t mark = width >= 6 ? 2 : 0;  // in a narrow column the dots would say more than the text
        shown = first_columns(text, width - mark) + std::string(mark, '.');
        columns = columns_of(shown);
    }
    const std::string blanks(width - columns, ' ');
    return right ? blanks + shown : shown + blanks;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    while (columns_of(text) > width) {
        auto line = first_columns(text, width);
        if (line.empty()) line = text.substr(0, first_of(text).bytes);  // too wide for any line
        // A word that ends where the line does stays whole.
        const auto blank = text[line.size()] == ' ' ? line.size() : line.rfind(' ');
        if (blank != std::string::npos && blank * 2 > line.size()) line.resize(std::min(blank, line.size()));
        text.remove_prefix(line.size());
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        lines.push_back(std::move(line));
    }
    if (!text.empty() || lines.empty()) lines.emplace_back(text);
    return lines;
}

}  // namespace tidegate::watch
