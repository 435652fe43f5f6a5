#include "watch/emergency_page.h"

#include "watch/command_line.h"
#include "watch/emergency.h"
#include "watch/printable.h"

namespace tidegate::watch {
namespace {

constexpr std::size_t kIndent = 9;  // of a command that goes on
constexpr std::string_view kMore = " \\";

// The blank at which a command may go on in the next line: the last that leaves this one short enough, else the next. A
// shell takes none within quotes.
std::size_t break_in(std::string_view command) {
    auto found = std::string_view::npos;
    char quote = '\0';
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char c = command[i];
        if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == ' ' && i > kIndent) {
            if (i + kMore.size() > kEmergencyColumns && found != std::string_view::npos) break;
            found = i;
        }
    }
    return found;
}

}  // namespace

void Page::add_line(const std::string& text) {
    text_ += shortened(printable(text), kEmergencyColumns) + "\n";
}

void Page::add_command(const std::string& text) {
    std::string rest = "     " + printable(text);
    while (rest.size() > kEmergencyColumns) {
        const auto at = break_in(rest);
        if (at == std::string::npos) break;
        text_ += rest.substr(0, at) + std::string(kMore) + "\n";
        rest = std::string(kIndent, ' ') + rest.substr(at + 1);
    }
    text_ += rest + "\n";
}

std::string quoted(std::string_view text) {
    if (text.size() == kNameKept && text.ends_with("...")) text.remove_suffix(3);
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

}  // namespace tidegate::watch
