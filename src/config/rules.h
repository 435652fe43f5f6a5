// [[rule]]: what is different for some sessions, or for some of their statements. Found once for a session, when it
// begins; a session that no rule is about costs nothing.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace tidegate::config {

// The beginning of a statement as patterns are held against it: in lower case (ASCII), white space as one blank,
// without the comments and the white space in front. No allocation.
class FoldedStatement {
public:
    static constexpr std::size_t kMost = 256;
    explicit FoldedStatement(std::string_view text);
    [[nodiscard]] std::string_view text() const { return {folded_.data(), size_}; }

private:
    std::array<char, kMost> folded_;
    std::size_t size_ = 0;
};

// What rules want for a statement.
struct Wish {
    bool pin = false;
    bool trust_calls = false;
    [[nodiscard]] bool any() const { return pin || trust_calls; }
};

struct SessionRules {
    std::optional<PoolMode> mode;  // of the first rule that has one
    bool trust_calls = false;      // for all statements
    std::vector<Rule> statements;  // for those that begin so
    [[nodiscard]] bool any() const { return mode || trust_calls || !statements.empty(); }
    // All rules that fit count.
    [[nodiscard]] Wish wish_for(std::string_view text) const;
};

[[nodiscard]] SessionRules rules_of(const Config& config, std::string_view user, std::string_view address,
                                    std::string_view program);

}  // namespace tidegate::config
