#include "fleet/policy.h"

namespace tidegate::fleet {

std::string_view text_of(Restart restart) {
    switch (restart) {
        case Restart::always:
            return "always";
        case Restart::on_failure:
            return "on-failure";
        case Restart::never:
            return "never";
    }
    return "never";
}

std::optional<Restart> parse_restart(std::string_view text) {
    for (const auto restart : {Restart::always, Restart::on_failure, Restart::never}) {
        if (text == text_of(restart)) return restart;
    }
    return std::nullopt;
}

}  // namespace tidegate::fleet
