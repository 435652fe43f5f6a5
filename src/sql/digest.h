// A statement's text as an operator may see it: what it does without what it is about. Literals become `?`, lists of
// them are folded, comments and white space are one space, and nothing that may be a password is left. Whatever is not
// sure to be none is shown as `?`, too. Pure; made when somebody wants to see it, never on a statement's way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sql/mode.h"

namespace tidegate::sql {

inline constexpr std::size_t kDigestBytes = 200;

// Valid UTF-8 without control characters, `limit` bytes at most; " .." at its end where the text went on. `cut`: the
// text is the beginning of a longer one.
[[nodiscard]] std::string digest(std::string_view text, Mode mode, bool cut = false, std::size_t limit = kDigestBytes);

}  // namespace tidegate::sql
