#include "watch/top_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "watch/columns.h"
#include "watch/top_help.h"

namespace tidegate::watch {
namespace {

using Mode = TopState::Mode;
using Lines = std::vector<Line>;

Line cut(Line line, std::size_t width) {
    Line kept;
    for (auto& span : line) {
        const auto text = first_columns(span.text, width);
        width -= columns_of(text);
        if (!text.empty()) kept.push_back({text, span.style});
    }
    return kept;
}

Line one(std::string text, Style style = Style::plain) {
    return {{std::move(text), style}};
}

Style style_of(Tone tone) {
    switch (tone) {
        case Tone::plain:
            return Style::plain;
        case Tone::quiet:
            return Style::quiet;
        case Tone::attention:
            return Style::attention;
        case Tone::critical:
            break;
    }
    return Style::critical;
}

// Left and right in one line; the left one gives way.
Line both_ends(const std::string& left, const std::string& right, std::size_t width, Style style) {
    const auto taken = columns_of(right) + 1;
    if (taken + 10 > width) return one(padded(left, width), style);
    return one(padded(left, width - taken) + " " + right, style);
}

Line usage_line(const TopPicture& picture, std::size_t width) {
    const auto style = picture.alarm == Tone::plain ? Style::strong : style_of(picture.alarm);
    const auto text = fmt::format("usage {} ", picture.usage);
    const auto used = columns_of(text) + 2;
    if (used + 5 > width) return one(text, style);
    const auto room = std::min<std::size_t>(width - used, 60);
    const auto filled = std::min(room, static_cast<std::size_t>(std::lround(picture.used * static_cast<double>(room))));
    return {{text, style},
            {"[", Style::plain},
            {std::string(filled, '|'), style},
            {std::string(room - filled, ' '), Style::plain},
            {"]", Style::plain}};
}

Line history_line(const TopPicture& picture, std::size_t width) {
    const auto label = picture.history + " ";
    const auto used = columns_of(label);
    return {{label, Style::plain}, {last_columns(picture.sparkline, width > used ? width - used : 0), Style::strong}};
}

std::string pages_text(const TopState& state, const TopPicture& picture, std::size_t page) {
    const auto& sheet = picture.sheets[page];
    const auto count = page == state.page && (!state.filter.empty() || state.hide_resting)
                           ? fmt::format("{} of {}", rows_shown(state, sheet).size(), sheet.rows.size())
                           : std::to_string(sheet.rows.size());
    return fmt::format("{} {} {}", page + 1, sheet.name, count);
}

Line pages_line(const TopState& state, const TopPicture& picture) {
    Line line;
    for (std::size_t page = 0; page < kTopPages; ++page) {
        line.push_back(
            {fmt::format("[{}]", pages_text(state, picture, page)), page == state.page ? Style::strong : Style::quiet});
        line.push_back({" ", Style::plain});
    }
    if (!state.filter.empty()) line.push_back({fmt::format("filter: {}", state.filter), Style::attention});
    return line;
}

Lines head(const TopState& state, const TopPicture& picture, ScreenSize size) {
    Lines lines;
    const auto every = state.every == Duration{} ? "" : "every " + interval_text(state.every) + "  ";
    const auto right = (state.paused ? "PAUSED  " : every) + picture.taken;
    lines.push_back(both_ends(picture.title, right, size.width, Style::bar));
    lines.push_back(usage_line(picture, size.width));
    const bool roomy = size.height >= 14;
    if (roomy) {
        lines.push_back(one(picture.activity));
        lines.push_back(history_line(picture, size.width));
        if (!picture.gate.empty()) lines.push_back(one(picture.gate));
    }
    if (!picture.trouble.empty()) lines.push_back(one(picture.trouble, Style::critical));
    lines.push_back(pages_line(state, picture));
    return lines;
}

// How the table is laid out: what is shown, in which widths.
struct Layout {
    std::vector<std::size_t> shown;
    std::vector<std::size_t> widths;
    std::size_t sort_by = 0;
    bool descending = false;
};

Layout layout_of(const TopState& state, const Sheet& sheet, std::size_t width) {
    Layout layout{.shown = rows_shown(state, sheet), .widths = {}};
    layout.sort_by = state.on().sort_by.value_or(sheet.sort_by);
    layout.descending = state.on().descending.value_or(sheet.descending);
    std::vector<std::size_t> natural;
    for (std::size_t i = 0; i < sheet.columns.size(); ++i) {
        std::size_t widest = columns_of(sheet.columns[i].title) + (i == layout.sort_by ? 1 : 0);
        for (const auto row : layout.shown) widest = std::max(widest, columns_of(sheet.rows[row].cells[i].text));
        natural.push_back(widest);
    }
    layout.widths = column_widths(sheet.columns, natural, width);
    return layout;
}

Line titles(const Sheet& sheet, const Layout& layout, std::size_t width) {
    Line line;
    std::size_t used = 0;
    for (std::size_t i = 0; i < sheet.columns.size(); ++i) {
        if (layout.widths[i] == 0) continue;
        const bool sorted = i == layout.sort_by;
        const auto mark = std::string(sorted ? (layout.descending ? "v" : "^") : "");
        const auto title = first_columns(sheet.columns[i].title, layout.widths[i] - mark.size()) + mark;
        line.push_back({padded(title, layout.widths[i], sheet.columns[i].right) + " ", Style::bar});
        used += layout.widths[i] + 1;
    }
    if (used < width) line.push_back({std::string(width - used, ' '), Style::bar});
    return line;
}

Line row_line(const Sheet& sheet, const SheetRow& row, const Layout& layout, std::size_t width, bool selected) {
    std::string text;
    for (std::size_t i = 0; i < sheet.columns.size(); ++i) {
        if (layout.widths[i] == 0) continue;
        text += padded(row.cells[i].text, layout.widths[i], sheet.columns[i].right) + " ";
    }
    return one(padded(first_columns(text, width), width), selected ? Style::selected : style_of(row.tone));
}

void add_notes(Lines& lines, const Sheet& sheet, std::size_t width, std::size_t most) {
    const auto all = sheet.notes.size();
    for (std::size_t i = 0; i < all && i < most; ++i) {
        const bool last = i + 1 == most && all > most;
        lines.push_back(one(padded(last ? fmt::format("and {} more", all - i) : sheet.notes[i], width)));
    }
}

void add_table(Lines& lines, TopState& state, const Sheet& sheet, ScreenSize size, std::size_t bottom) {
    const auto layout = layout_of(state, sheet, size.width);
    add_notes(lines, sheet, size.width, (size.height - lines.size()) / 3);
    lines.push_back(titles(sheet, layout, size.width));
    const std::size_t room = size.height > lines.size() + bottom ? size.height - lines.size() - bottom : 0;
    settle(state, sheet, layout.shown, room);
    if (layout.shown.empty()) {
        const auto* why = sheet.rows.empty() ? sheet.empty.c_str() : "nothing fits; Esc clears the filter, i shows all";
        for (const auto& part : wrapped(why, size.width)) lines.push_back(one(part));
        return;
    }
    const auto& page = state.on();
    for (std::size_t i = page.first; i < layout.shown.size() && i < page.first + room; ++i) {
        lines.push_back(
            row_line(sheet, sheet.rows[layout.shown[i]], layout, size.width, bottom > 0 && i == page.cursor));
    }
}

void add_reading(Lines& lines, TopState& state, const Lines& text, std::size_t height) {
    state.rows_on_screen = height;
    state.scrolled = std::min(state.scrolled, text.size() > height ? text.size() - height : 0);
    for (std::size_t i = state.scrolled; i < text.size() && i < state.scrolled + height; ++i) lines.push_back(text[i]);
}

Lines help_text() {
    Lines lines;
    for (const auto* text : top_help()) lines.push_back(one(text));
    lines.front().front().style = Style::strong;
    return lines;
}

Lines details_text(const TopState& state, const Sheet& sheet, std::size_t width) {
    const auto row = std::ranges::find(sheet.rows, state.on().selected, &SheetRow::key);
    if (row == sheet.rows.end()) return {one("It has gone.")};
    const std::size_t indent = 14;
    Lines lines;
    for (const auto& [label, text] : row->details) {
        bool first = true;
        for (const auto& part : wrapped(text, width - indent)) {
            lines.push_back({{padded(first ? label : "", indent), Style::strong}, {part, Style::plain}});
            first = false;
        }
    }
    return lines;
}

Lines bottom(const TopState& state, std::size_t width) {
    switch (state.mode) {
        case Mode::question: {
            Lines lines;
            for (const auto& part : wrapped(question_of(*state.victim), width))
                lines.push_back(one(padded(part, width), Style::critical));
            return lines;
        }
        case Mode::filter:
            return {one(fmt::format("filter: {}_", state.entry), Style::strong)};
        case Mode::interval:
            return {one(fmt::format("seconds between two looks: {}_", state.entry), Style::strong)};
        case Mode::help:
        case Mode::details:
            return {one("Up, Down scroll; any other key goes back", Style::bar)};
        case Mode::list:
            break;
    }
    if (!state.said.empty()) {
        Lines lines;
        for (const auto& part : wrapped(state.said, width)) lines.push_back(one(padded(part, width), Style::strong));
        return lines;
    }
    return {one(padded("q quit  ? help  Tab pages  / filter  < > sort  Enter all of it  K end it", width), Style::bar)};
}

Lines too_small(ScreenSize size) {
    Lines lines;
    const auto text = fmt::format("too small: {}x{} at least, q quits", kSmallest.width, kSmallest.height);
    for (const auto& part : wrapped(text, size.width)) {
        if (lines.size() < size.height) lines.push_back(one(part));
    }
    return lines;
}

}  // namespace

std::vector<std::size_t> column_widths(const std::vector<Column>& columns, const std::vector<std::size_t>& natural,
                                       std::size_t width) {
    std::vector<std::size_t> widths;
    widths.reserve(columns.size());
    for (const auto& column : columns) widths.push_back(column.least);
    const auto total = [&] {
        return std::accumulate(widths.begin(), widths.end(), std::size_t{0},
                               [](std::size_t sum, std::size_t one) { return one == 0 ? sum : sum + one + 1; });
    };
    while (total() > width + 1) {
        std::size_t out = columns.size();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (widths[i] != 0 && (out == columns.size() || columns[i].keep < columns[out].keep)) out = i;
        }
        if (out == columns.size()) break;
        widths[out] = 0;
    }
    // What is left goes round, a column each, to those that can use it; the rest to the last one.
    for (bool given = true; given && total() <= width;) {
        given = false;
        for (std::size_t i = 0; i < columns.size() && total() <= width; ++i) {
            const bool is_last = i + 1 == columns.size();
            const auto wanted =
                is_last ? std::min<std::size_t>(natural[i], width) : std::min(natural[i], columns[i].most);
            if (widths[i] == 0 || widths[i] >= wanted) continue;
            ++widths[i];
            given = true;
        }
    }
    if (!widths.empty() && widths.back() != 0 && total() <= width) widths.back() += width + 1 - total();
    return widths;
}

std::vector<Line> top_lines(TopState& state, const TopPicture& picture, ScreenSize size) {
    if (size.width < kSmallest.width || size.height < kSmallest.height) return too_small(size);
    const auto& sheet = picture.sheets[state.page];
    const auto end = bottom(state, size.width);
    Lines lines;
    const bool reading = state.mode == Mode::help || state.mode == Mode::details;
    if (reading) {
        const auto text = state.mode == Mode::help ? help_text() : details_text(state, sheet, size.width);
        add_reading(lines, state, text, size.height - end.size());
    } else {
        lines = head(state, picture, size);
        add_table(lines, state, sheet, size, end.size());
    }
    lines.resize(std::min(lines.size(), size.height - std::min(size.height, end.size())));
    while (lines.size() + end.size() < size.height) lines.emplace_back();
    lines.insert(lines.end(), end.begin(), end.end());
    lines.resize(std::min(lines.size(), size.height));
    for (auto& line : lines) line = cut(std::move(line), size.width);
    return lines;
}

std::vector<Line> top_lines_once(const TopState& state, const TopPicture& picture, ScreenSize size) {
    TopState own = state;
    own.every = Duration{};
    const auto& sheet = picture.sheets[own.page];
    auto lines = head(own, picture, {size.width, std::max<std::size_t>(size.height, 14)});
    const auto needed = lines.size() + sheet.notes.size() * 3 + 2 + sheet.rows.size();
    add_table(lines, own, sheet, {size.width, size.height != 0 ? size.height : needed}, 0);
    for (auto& line : lines) line = cut(std::move(line), size.width);
    return lines;
}

}  // namespace tidegate::watch
