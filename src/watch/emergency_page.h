// The lines of an emergency text: sentences that fit a screen, numbered steps, and commands that can be copied whole.
// Pure.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace tidegate::watch {

class Page {
public:
    template <class... Values>
    void line(fmt::format_string<Values...> format, Values&&... values) {
        add_line(fmt::format(format, std::forward<Values>(values)...));
    }

    // The next way out.
    template <class... Values>
    void step(fmt::format_string<Values...> format, Values&&... values) {
        ++steps_;
        add_line(fmt::format("{}. {}", steps_, fmt::format(format, std::forward<Values>(values)...)));
    }

    // A command, over several lines where it is long: it can be copied as it is.
    template <class... Values>
    void command(fmt::format_string<Values...> format, Values&&... values) {
        add_command(fmt::format(format, std::forward<Values>(values)...));
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    void add_line(const std::string& text);
    void add_command(const std::string& text);

    int steps_ = 0;
    std::string text_;
};

// In single quotes for a shell. What was cut off at the end of a long name (kNameKept) is left to the pattern.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace tidegate::watch
