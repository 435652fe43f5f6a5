// The screen of `tidegate top` as lines of text with styles, for a terminal of any size. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "watch/top_state.h"

namespace tidegate::watch {

enum class Style : std::uint8_t { plain, quiet, strong, bar, attention, critical, selected };

struct Span {
    std::string text;
    Style style = Style::plain;
};
using Line = std::vector<Span>;

struct ScreenSize {
    std::size_t width = 80;
    std::size_t height = 24;
};
inline constexpr ScreenSize kSmallest{.width = 40, .height = 8};

// At most `height` lines, none wider than `width`. Scrolls the state so that the selected row is among them.
[[nodiscard]] std::vector<Line> top_lines(TopState& state, const TopPicture& picture, ScreenSize size);

// The same without anything for keys, as tall as it takes.
[[nodiscard]] std::vector<Line> top_lines_once(const TopState& state, const TopPicture& picture, ScreenSize size);

// How wide each column is, 0: left out. `natural`: the widest text in each.
[[nodiscard]] std::vector<std::size_t> column_widths(const std::vector<Column>& columns,
                                                     const std::vector<std::size_t>& natural, std::size_t width);

}  // namespace tidegate::watch
