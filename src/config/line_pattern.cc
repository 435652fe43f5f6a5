#include "config/line_pattern.h"

#include <fmt/core.h>

#include <array>
#include <utility>

namespace tidegate::config {

void LinePattern::Free::operator()(regex_t* compiled) const {
    ::regfree(compiled);
    delete compiled;
}

Result<LinePattern> LinePattern::make(const std::string& pattern) {
    auto compiled = std::make_unique<regex_t>();
    const int error = ::regcomp(compiled.get(), pattern.c_str(), REG_EXTENDED | REG_NOSUB);
    if (error != 0) {
        std::array<char, 200> words{};
        ::regerror(error, compiled.get(), words.data(), words.size());
        return fail(fmt::format("\"{}\" is not a regular expression as grep -E takes it: {}", pattern, words.data()));
    }
    LinePattern made;
    made.compiled_.reset(compiled.release());
    return made;
}

bool LinePattern::matches(std::string_view line) const {
    regmatch_t range{};
    range.rm_so = 0;
    range.rm_eo = static_cast<regoff_t>(line.size());
    // REG_STARTEND: the range says where the line ends.
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
    return ::regexec(compiled_.get(), line.data(), 1, &range, REG_STARTEND) == 0;
}

}  // namespace tidegate::config
