// What the person at `tidegate top` has chosen, and what a key changes in it. Pure: keys in, the next thing to do out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "watch/top_sheet.h"

namespace tidegate::watch {

inline constexpr std::size_t kTopPages = 4;  // connections, gate, slots, fleet

// What the last look has seen, ready to be shown.
struct TopPicture {
    std::string title;  // "MariaDB 10.11.6 at 127.0.0.1:3306, up for 3 hours"
    std::string taken;  // when, of the day
    std::string usage;  // "143 / 151 (94.7%)"
    double used = 0;    // 0 to 1
    Tone alarm = Tone::plain;
    std::string activity;   // "12 active, 131 sleeping, .."
    std::string history;    // "connections 131 to 143 in 2m"
    std::string sparkline;  // of the same
    std::string gate;       // "gate: 3 active, ..", empty: none
    std::string trouble;    // why this is an old picture; empty: it is not
    std::array<Sheet, kTopPages> sheets;
    Snapshot snapshot;
};

struct TopKey {
    enum class Kind : std::uint8_t {
        character,
        up,
        down,
        left,
        right,
        page_up,
        page_down,
        home,
        end,
        enter,
        escape,
        tab,
        back_tab,
        backspace,
        help,
        kill,
        redraw,
    };
    Kind kind = Kind::character;
    std::string text{};  // the character, UTF-8
};

// Somebody was asked whether to end this one, as it was then.
struct TopVictim {
    Connection connection;
    bool query_only = false;
};

struct TopPage {
    std::optional<std::size_t> sort_by{};  // as the sheet has it
    std::optional<bool> descending{};
    std::string selected{};  // SheetRow::key
    std::size_t cursor = 0;  // where it was shown last
    std::size_t first = 0;   // the first row that is shown
};

struct TopState {
    enum class Mode : std::uint8_t { list, help, details, filter, interval, question };

    Mode mode = Mode::list;
    std::size_t page = 0;
    std::array<TopPage, kTopPages> pages{};
    std::string filter{};
    std::string entry{};  // what is being typed, in Mode::filter and Mode::interval
    bool hide_resting = false;
    bool paused = false;
    Duration every = 2s;
    std::size_t scrolled = 0;         // lines of help or details
    std::size_t rows_on_screen = 10;  // how far Page Up and Page Down go
    std::string said{};               // the last result, at the bottom
    std::optional<TopVictim> victim{};

    [[nodiscard]] TopPage& on() { return pages[page]; }
    [[nodiscard]] const TopPage& on() const { return pages[page]; }
};

struct TopAction {
    enum class What : std::uint8_t { nothing, quit, look, kill, redraw };
    What what = What::nothing;
    std::optional<TopVictim> victim{};
};

[[nodiscard]] TopAction press(TopState& state, const TopPicture& picture, const TopKey& key);

// Which rows of the page are shown, in order: filtered and sorted.
[[nodiscard]] std::vector<std::size_t> rows_shown(const TopState& state, const Sheet& sheet);
// Puts the cursor on the selected row again, or where it was if that row has gone; scrolls so that it is within
// `height` rows.
void settle(TopState& state, const Sheet& sheet, const std::vector<std::size_t>& shown, std::size_t height);

// "End connection 42, app at 10.0.0.7:43210, php worker.php (pid 4242), ..? y/N"
[[nodiscard]] std::string question_of(const TopVictim& victim);

inline constexpr Duration kShortestInterval = 200ms;
inline constexpr Duration kLongestInterval = 3600s;
[[nodiscard]] std::string interval_text(Duration every);  // "2s", "0.5s"

}  // namespace tidegate::watch
