// A regular expression (POSIX extended, as grep -E has it) that lines are held against.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::config {

class LinePattern {
public:
    [[nodiscard]] static Result<LinePattern> make(const std::string& pattern);
    [[nodiscard]] bool matches(std::string_view line) const;

private:
    struct Free {
        void operator()(regex_t* compiled) const;
    };
    std::unique_ptr<regex_t, Free> compiled_;
};

}  // namespace tidegate::config
