// A page of `tidegate top`: a table that can be sorted and filtered, whatever it is about. The one of the server's
// connections is made here; those of the gate, the slots and the fleet by whoever asks the gate. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "watch/snapshot.h"

namespace tidegate::watch {

struct Column {
    std::string title;
    std::size_t least = 4;  // columns of the terminal that it needs to be of use,
    std::size_t most = 40;  // and that it never takes more than; the last column takes what is left
    bool right = false;     // numbers
    int keep = 0;           // where there is no room for all, the lowest go first
};

struct Cell {
    std::string text;
    std::optional<double> number{};  // sorted by; nothing: by the text
};

enum class Tone : std::uint8_t { plain, quiet, attention, critical };

struct SheetRow {
    std::string key;  // the same row in the next picture has the same
    std::vector<Cell> cells;
    std::string words;  // what a filter looks in, in lower case
    bool rests = false;
    Tone tone = Tone::plain;
    std::vector<std::pair<std::string, std::string>> details{};  // Enter shows them: label and text
    std::optional<std::uint64_t> connection{};                   // of the server
};

struct Sheet {
    std::string name;
    std::vector<std::string> notes{};  // above the table
    std::vector<Column> columns{};
    std::vector<SheetRow> rows{};
    std::size_t sort_by = 0;  // unless the person chooses another
    bool descending = false;
    std::string empty{};  // what to say where there are no rows
};

[[nodiscard]] Sheet connections_sheet(const Snapshot& snapshot, Duration long_statement);

// Why nobody ends it; empty: it may be ended.
[[nodiscard]] std::string why_never_ended(Kind kind);

// "8s", "41m", "3h", "2d": the largest unit that there are at least two of.
[[nodiscard]] std::string short_time(Duration time);
[[nodiscard]] Cell number_cell(std::uint64_t number);
[[nodiscard]] Cell time_cell(std::optional<Duration> time);
// Fills in SheetRow::words from all cells.
void set_words(SheetRow& row);

}  // namespace tidegate::watch
