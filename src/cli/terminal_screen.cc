#include "cli/terminal_screen.h"

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <langinfo.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string_view>

#include "watch/printable.h"

namespace tidegate::cli {
namespace {

using watch::Style;
using watch::TopKey;
using Kind = TopKey::Kind;

constexpr int kEscapeWait = 100;  // ms: how long the rest of a key's sequence may take, over ssh too
constexpr short kAttentionPair = 1;
constexpr short kCriticalPair = 2;

bool wants_colour() {
    const char* no = std::getenv("NO_COLOR");
    return (no == nullptr || *no == '\0') && has_colors();
}

attr_t attributes_of(Style style, bool colour) {
    switch (style) {
        case Style::plain:
            return A_NORMAL;
        case Style::quiet:
            return colour ? A_DIM : A_NORMAL;
        case Style::strong:
            return A_BOLD;
        case Style::bar:
            return A_REVERSE;
        case Style::attention:
            return colour ? static_cast<attr_t>(COLOR_PAIR(kAttentionPair)) : A_BOLD;
        case Style::critical:
            return A_BOLD | (colour ? static_cast<attr_t>(COLOR_PAIR(kCriticalPair)) : 0U);
        case Style::selected:
            break;
    }
    return A_REVERSE | A_BOLD;
}

struct NamedKey {
    int code;
    Kind kind;
};
constexpr std::array<NamedKey, 14> kKeys{{{KEY_UP, Kind::up},
                                          {KEY_DOWN, Kind::down},
                                          {KEY_LEFT, Kind::left},
                                          {KEY_RIGHT, Kind::right},
                                          {KEY_PPAGE, Kind::page_up},
                                          {KEY_NPAGE, Kind::page_down},
                                          {KEY_HOME, Kind::home},
                                          {KEY_END, Kind::end},
                                          {KEY_ENTER, Kind::enter},
                                          {KEY_BTAB, Kind::back_tab},
                                          {KEY_BACKSPACE, Kind::backspace},
                                          {KEY_F(1), Kind::help},
                                          {KEY_F(9), Kind::kill},
                                          {KEY_RESIZE, Kind::redraw}}};

TopKey control_key(wint_t key) {
    switch (key) {
        case '\r':
        case '\n':
            return {Kind::enter};
        case '\t':
            return {Kind::tab};
        case 27:
            return {Kind::escape};
        case 8:
        case 127:
            return {Kind::backspace};
        default:
            return {Kind::redraw};  // Ctrl-L; the others do no harm that way
    }
}

std::string utf8_of(wint_t key) {
    std::mbstate_t state{};
    std::array<char, 16> bytes{};
    const auto count = std::wcrtomb(bytes.data(), static_cast<wchar_t>(key), &state);
    return count == static_cast<std::size_t>(-1) ? "" : std::string(bytes.data(), count);
}

std::string without_utf8(std::string text) {
    for (char& c : text) c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
    return text;
}

}  // namespace

bool shows_utf8() {
    std::setlocale(LC_CTYPE, "");
    return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

Result<std::unique_ptr<TerminalScreen>> TerminalScreen::open() {
    std::setlocale(LC_CTYPE, "");
    unsetenv("COLUMNS");  // ncurses would believe them, and not follow a window that changes its size
    unsetenv("LINES");
    if (newterm(nullptr, stdout, stdin) == nullptr) {
        const char* term = std::getenv("TERM");
        return fail(
            fmt::format("this terminal is not known (TERM is \"{}\"): try TERM=xterm tidegate top, or tidegate top "
                        "--once",
                        term != nullptr ? term : ""));
    }
    const bool colour = wants_colour();
    if (colour) {
        start_color();
        use_default_colors();
        init_pair(kAttentionPair, COLOR_YELLOW, -1);
        init_pair(kCriticalPair, COLOR_RED, -1);
    }
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    if (std::getenv("ESCDELAY") == nullptr) set_escdelay(kEscapeWait);
    curs_set(0);
    return std::unique_ptr<TerminalScreen>(new TerminalScreen(colour));
}

// A warning in the middle of the screen would be nowhere in particular, and overwritten.
TerminalScreen::TerminalScreen(bool colour)
    : colour_(colour),
      errors_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)),
      kept_(memfd_create("tidegate-said", MFD_CLOEXEC)) {
    if (errors_ >= 0 && kept_ >= 0) dup2(kept_, STDERR_FILENO);
}

void TerminalScreen::close() {
    if (!std::exchange(open_, false)) return;
    curs_set(1);
    endwin();
    if (errors_ < 0 || kept_ < 0) return;
    std::fflush(stderr);
    dup2(errors_, STDERR_FILENO);
    std::array<char, 4096> text{};
    lseek(kept_, 0, SEEK_SET);
    for (auto got = ::read(kept_, text.data(), text.size()); got > 0; got = ::read(kept_, text.data(), text.size()))
        std::fwrite(text.data(), 1, static_cast<std::size_t>(got), stderr);
    ::close(errors_);
    ::close(kept_);
}

watch::ScreenSize TerminalScreen::size() const {
    return {.width = static_cast<std::size_t>(getmaxx(stdscr)), .height = static_cast<std::size_t>(getmaxy(stdscr))};
}

void TerminalScreen::draw(const std::vector<watch::Line>& lines) {
    werase(stdscr);
    const bool utf8 = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
    for (std::size_t y = 0; y < lines.size(); ++y) {
        wmove(stdscr, static_cast<int>(y), 0);
        for (const auto& span : lines[y]) {
            wattrset(stdscr, static_cast<int>(attributes_of(span.style, colour_)));
            const auto text = utf8 ? watch::printable(span.text) : without_utf8(span.text);
            waddnstr(stdscr, text.c_str(), static_cast<int>(text.size()));
        }
    }
    wattrset(stdscr, A_NORMAL);
    wrefresh(stdscr);
}

void TerminalScreen::draw_anew() {
    clearok(curscr, TRUE);
}

std::optional<TopKey> TerminalScreen::read() {
    wint_t key = 0;
    const int kind = wget_wch(stdscr, &key);
    if (kind == ERR) return std::nullopt;
    if (kind == KEY_CODE_YES) {
        for (const auto& named : kKeys) {
            if (named.code == static_cast<int>(key)) return TopKey{named.kind};
        }
        return read();
    }
    if (key < ' ' || key == 127) return control_key(key);
    return TopKey{Kind::character, utf8_of(key)};
}

}  // namespace tidegate::cli
