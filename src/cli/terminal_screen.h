// The terminal of `tidegate top`, through ncurses: lines with styles out, keys in. While it lives the terminal is its
// own, and what is written to stderr is kept for the end; afterwards it is as it was. One at a time, one thread.
#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "watch/top_view.h"

namespace tidegate::cli {

class TerminalScreen {
public:
    // Errors: this terminal cannot show it, with what to do.
    [[nodiscard]] static Result<std::unique_ptr<TerminalScreen>> open();
    ~TerminalScreen() { close(); }
    TerminalScreen(const TerminalScreen&) = delete;
    TerminalScreen& operator=(const TerminalScreen&) = delete;
    void close();

    [[nodiscard]] watch::ScreenSize size() const;
    void draw(const std::vector<watch::Line>& lines);
    void draw_anew();  // the next draw() writes everything

    // A key that was pressed; nothing: none is waiting. A change of the size counts as a key that does nothing.
    [[nodiscard]] std::optional<watch::TopKey> read();

private:
    explicit TerminalScreen(bool colour);
    bool open_ = true;
    bool colour_;
    int errors_ = -1;  // stderr as it was,
    int kept_ = -1;    // and what stands for it
};

// Whether the terminal, or whatever stdout is, shows UTF-8. Reads the locale from the environment.
[[nodiscard]] bool shows_utf8();

}  // namespace tidegate::cli
