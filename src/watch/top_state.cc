#include "watch/top_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/letters.h"
#include "watch/killer.h"
#include "watch/printable.h"

namespace tidegate::watch {
namespace {

using Press = TopKey::Kind;
using Mode = TopState::Mode;
using What = TopAction::What;

constexpr std::array<Duration, 9> kIntervals{200ms, 500ms, 1s, 2s, 5s, 10s, 30s, 60s, 300s};
constexpr std::size_t kLongestEntry = 200;

std::size_t sort_column(const TopPage& page, const Sheet& sheet) {
    const auto column = page.sort_by.value_or(sheet.sort_by);
    return sheet.columns.empty() ? 0 : std::min(column, sheet.columns.size() - 1);
}

bool is_descending(const TopPage& page, const Sheet& sheet) {
    return page.descending.value_or(sheet.descending);
}

int compare(const Cell& a, const Cell& b) {
    if (a.number && b.number) return *a.number < *b.number ? -1 : *a.number > *b.number ? 1 : 0;
    return a.text.compare(b.text);
}

void choose_column(TopState& state, const Sheet& sheet, int step) {
    if (sheet.columns.empty()) return;
    auto& page = state.on();
    const auto count = sheet.columns.size();
    const auto from = sort_column(page, sheet);
    page.sort_by = (from + (step > 0 ? 1 : count - 1)) % count;
    // Figures are of interest from the largest on, names from A on.
    page.descending = sheet.columns[*page.sort_by].right;
    state.said = fmt::format("sorted by {}", sheet.columns[*page.sort_by].title);
}

void change_interval(TopState& state, bool longer) {
    if (longer) {
        const auto next = std::ranges::upper_bound(kIntervals, state.every);
        if (next != kIntervals.end()) state.every = *next;
    } else {
        const auto here = std::ranges::lower_bound(kIntervals, state.every);
        if (here != kIntervals.begin()) state.every = *std::prev(here);
    }
    state.said = fmt::format("a look every {}", interval_text(state.every));
}

void move_to(TopState& state, const Sheet& sheet, std::ptrdiff_t place) {
    const auto shown = rows_shown(state, sheet);
    if (shown.empty()) return;
    const auto last = static_cast<std::ptrdiff_t>(shown.size()) - 1;
    auto& page = state.on();
    page.cursor = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(place, 0, last));
    page.selected = sheet.rows[shown[page.cursor]].key;
}

bool move(TopState& state, const Sheet& sheet, const TopKey& key) {
    const auto here = static_cast<std::ptrdiff_t>(state.on().cursor);
    const auto screen = static_cast<std::ptrdiff_t>(std::max<std::size_t>(state.rows_on_screen, 2)) - 1;
    if (key.kind == Press::up || key.text == "k")
        move_to(state, sheet, here - 1);
    else if (key.kind == Press::down || key.text == "j")
        move_to(state, sheet, here + 1);
    else if (key.kind == Press::page_up)
        move_to(state, sheet, here - screen);
    else if (key.kind == Press::page_down)
        move_to(state, sheet, here + screen);
    else if (key.kind == Press::home || key.text == "g")
        move_to(state, sheet, 0);
    else if (key.kind == Press::end || key.text == "G")
        move_to(state, sheet, static_cast<std::ptrdiff_t>(sheet.rows.size()));
    else
        return false;
    return true;
}

bool turn_page(TopState& state, const TopKey& key) {
    const bool is_number = key.text.size() == 1 && key.text[0] >= '1' && key.text[0] <= '4';
    if (is_number)
        state.page = static_cast<std::size_t>(key.text[0] - '1');
    else if (key.kind == Press::tab || key.kind == Press::right)
        state.page = (state.page + 1) % kTopPages;
    else if (key.kind == Press::back_tab || key.kind == Press::left)
        state.page = (state.page + kTopPages - 1) % kTopPages;
    else
        return false;
    return true;
}

const SheetRow* selected_row(const TopState& state, const Sheet& sheet) {
    const auto shown = rows_shown(state, sheet);
    if (shown.empty()) return nullptr;
    const auto& page = state.on();
    const auto at = std::ranges::find(shown, page.selected, [&](std::size_t i) { return sheet.rows[i].key; });
    return &sheet.rows[at != shown.end() ? *at : shown[std::min(page.cursor, shown.size() - 1)]];
}

// Asks, or says why there is nothing to ask.
void ask_to_end(TopState& state, const TopPicture& picture, bool query_only) {
    const auto* row = selected_row(state, picture.sheets[state.page]);
    if (row == nullptr || !row->connection) {
        state.said = "only connections of the server can be ended: they are on page 1";
        return;
    }
    const auto& all = picture.snapshot.connections;
    const auto at = std::ranges::find(all, *row->connection, &Connection::id);
    if (at == all.end()) return;
    if (const auto why = why_never_ended(at->kind); !why.empty()) {
        state.said = fmt::format("connection {} is never ended: {}", at->id, why);
        return;
    }
    if (query_only && at->sleeping()) {
        state.said = fmt::format("connection {} sleeps and runs no statement; K ends the connection", at->id);
        return;
    }
    state.victim = TopVictim{*at, query_only};
    state.mode = Mode::question;
    state.said.clear();
}

TopAction answer(TopState& state, const TopKey& key) {
    const bool yes = key.text == "y" || key.text == "Y";
    const auto victim = std::exchange(state.victim, std::nullopt);
    state.mode = Mode::list;
    if (!yes) state.said = "nothing was ended";
    return yes ? TopAction{What::kill, victim} : TopAction{};
}

bool type_into(std::string& entry, const TopKey& key) {
    if (key.kind == Press::character && entry.size() < kLongestEntry) {
        entry += key.text;
        return true;
    }
    if (key.kind != Press::backspace) return false;
    while (!entry.empty() && (static_cast<unsigned char>(entry.back()) & 0xC0U) == 0x80U) entry.pop_back();
    if (!entry.empty()) entry.pop_back();
    return true;
}

// The list follows each letter.
void press_in_filter(TopState& state, const TopKey& key) {
    if (type_into(state.entry, key)) {
        state.filter = state.entry;
        return;
    }
    if (key.kind == Press::escape) state.filter.clear();
    if (key.kind == Press::escape || key.kind == Press::enter) state.mode = Mode::list;
}

void press_in_interval(TopState& state, const TopKey& key) {
    if (type_into(state.entry, key)) return;
    if (key.kind == Press::escape) state.mode = Mode::list;
    if (key.kind != Press::enter) return;
    state.mode = Mode::list;
    double wanted = 0;
    const auto* end = state.entry.data() + state.entry.size();
    const bool is_number = !state.entry.empty() && std::from_chars(state.entry.data(), end, wanted).ptr == end;
    if (!is_number || wanted < seconds(kShortestInterval) || wanted > seconds(kLongestInterval)) {
        state.said = "not changed: it must be 0.2 to 3600 seconds";
        return;
    }
    state.every = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(wanted));
    state.said = fmt::format("a look every {}", interval_text(state.every));
}

TopAction press_in_reading(TopState& state, const TopKey& key) {
    if (key.kind == Press::down || key.text == "j") {
        ++state.scrolled;
    } else if (key.kind == Press::up || key.text == "k") {
        state.scrolled -= std::min<std::size_t>(state.scrolled, 1);
    } else if (key.kind == Press::page_down || key.text == " ") {
        state.scrolled += state.rows_on_screen;
    } else if (key.kind == Press::page_up) {
        state.scrolled -= std::min(state.scrolled, state.rows_on_screen);
    } else {
        state.mode = Mode::list;
    }
    return {};
}

void begin(TopState& state, Mode mode) {
    state.mode = mode;
    state.scrolled = 0;
    state.said.clear();
    state.entry = mode == Mode::filter ? state.filter : "";
}

TopAction press_letter(TopState& state, const TopPicture& picture, const std::string& text) {
    const auto& sheet = picture.sheets[state.page];
    if (text == "q" || text == "Q") return {What::quit};
    if (text == "?" || text == "h" || text == "H") begin(state, Mode::help);
    if (text == "/") begin(state, Mode::filter);
    if (text == "d") begin(state, Mode::interval);
    if (text == "s" || text == ">") choose_column(state, sheet, 1);
    if (text == "<") choose_column(state, sheet, -1);
    if (text == "+" || text == "-") change_interval(state, text == "+");
    if (text == "K" || text == "X") ask_to_end(state, picture, text == "X");
    if (text == "r" || text == "R") state.on().descending = !is_descending(state.on(), sheet);
    if (text == "i") {
        state.hide_resting = !state.hide_resting;
        state.said = state.hide_resting ? "those that sleep are hidden" : "all are shown";
    }
    if (text == " ") {
        state.paused = !state.paused;
        return {state.paused ? What::nothing : What::look};
    }
    return {};
}

TopAction press_in_list(TopState& state, const TopPicture& picture, const TopKey& key) {
    state.said.clear();
    if (turn_page(state, key) || move(state, picture.sheets[state.page], key)) return {};
    switch (key.kind) {
        case Press::character:
            return press_letter(state, picture, key.text);
        case Press::help:
            begin(state, Mode::help);
            return {};
        case Press::kill:
            ask_to_end(state, picture, false);
            return {};
        case Press::enter:
            if (const auto* row = selected_row(state, picture.sheets[state.page])) {
                state.on().selected = row->key;
                begin(state, Mode::details);
            }
            return {};
        case Press::escape:
            state.filter.clear();
            return {};
        default:
            return {};
    }
}

}  // namespace

std::vector<std::size_t> rows_shown(const TopState& state, const Sheet& sheet) {
    const auto wanted = lower(state.filter);
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < sheet.rows.size(); ++i) {
        const auto& row = sheet.rows[i];
        if (state.hide_resting && row.rests) continue;
        if (row.words.find(wanted) != std::string::npos) shown.push_back(i);
    }
    if (sheet.columns.empty()) return shown;
    const auto column = sort_column(state.on(), sheet);
    const bool descending = is_descending(state.on(), sheet);
    std::ranges::sort(shown, [&](std::size_t a, std::size_t b) {
        const int order = compare(sheet.rows[a].cells[column], sheet.rows[b].cells[column]);
        if (order == 0) return a < b;
        return descending ? order > 0 : order < 0;
    });
    return shown;
}

void settle(TopState& state, const Sheet& sheet, const std::vector<std::size_t>& shown, std::size_t height) {
    state.rows_on_screen = height;
    auto& page = state.on();
    if (shown.empty()) {
        page.cursor = page.first = 0;
        return;
    }
    const auto at = std::ranges::find(shown, page.selected, [&](std::size_t i) { return sheet.rows[i].key; });
    page.cursor = at != shown.end() && !page.selected.empty() ? static_cast<std::size_t>(at - shown.begin())
                                                              : std::min(page.cursor, shown.size() - 1);
    if (at == shown.end()) page.selected.clear();  // the place counts until somebody moves
    if (page.cursor < page.first) page.first = page.cursor;
    if (height > 0 && page.cursor >= page.first + height) page.first = page.cursor + 1 - height;
    page.first = std::min(page.first, shown.size() > height ? shown.size() - height : 0);
}

std::string question_of(const TopVictim& victim) {
    return fmt::format("{} {}? y/N", victim.query_only ? "Stop the statement of" : "End",
                       printable(sentence_of(victim.connection)));
}

std::string interval_text(Duration every) {
    return fmt::format("{:g}s", seconds(every));
}

TopAction press(TopState& state, const TopPicture& picture, const TopKey& key) {
    if (key.kind == Press::redraw) return {What::redraw};
    switch (state.mode) {
        case Mode::list:
            return press_in_list(state, picture, key);
        case Mode::question:
            return answer(state, key);
        case Mode::filter:
            press_in_filter(state, key);
            return {};
        case Mode::interval:
            press_in_interval(state, key);
            return {};
        case Mode::help:
        case Mode::details:
            break;
    }
    return press_in_reading(state, key);
}

}  // namespace tidegate::watch
