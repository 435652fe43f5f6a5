// The names under which a statement takes what pins its session, and gives it back: temporary tables, locks of
// GET_LOCK(), texts of PREPARE, HANDLERs. So that a pin ends with the last of its causes. Asked only for statements
// that pin or may end a pin: it allocates, which the scanner must not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/facts.h"
#include "sql/mode.h"

namespace tidegate::sql {

// The pins whose causes have names.
inline constexpr Pins kNamedPins{Pin::temporary_table, Pin::named_lock, Pin::text_prepare, Pin::handler};

struct HeldName {
    Pin pin;
    bool taken;  // else given back
    std::string name;
};

struct HeldNames {
    std::vector<HeldName> names;
    Pins unsure;                      // of its pins: those that are taken under a name that the text does not tell
    bool releases_all_locks = false;  // DO or SELECT RELEASE_ALL_LOCKS(), and nothing else
};

// Of a whole text, `facts` being what the scanner found in it. `schema`: where names without one belong.
[[nodiscard]] HeldNames held_names(std::string_view text, const Facts& facts, Mode mode, std::string_view schema);

}  // namespace tidegate::sql
