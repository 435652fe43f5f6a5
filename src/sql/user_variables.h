// The user variables (@x) that a statement may give a value to. So that the session carries them to another connection
// instead of keeping the one that has them. Asked only for statements with an @: it allocates, which the scanner must
// not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/facts.h"
#include "sql/mode.h"

namespace tidegate::sql {

struct UserVariables {
    std::vector<std::string> assigned;  // in lower case, each once; perhaps more than are
    bool unsure = false;                // there may be others, whose names the text does not tell
};

// Of a whole text, `facts` being what the scanner found in it.
[[nodiscard]] UserVariables user_variables(std::string_view text, const Facts& facts, Mode mode);

// A name that needs no quotes: letters, digits, _, $. All others count as unsure.
[[nodiscard]] bool is_plain_variable(std::string_view name);

}  // namespace tidegate::sql
