#include "session/collations.h"

#include <algorithm>

namespace tidegate::session {

void Collations::mark_compiled_in(std::uint16_t id) {
    if (const auto found = known_.find(id); found != known_.end()) found->second.compiled_in = true;
}

void Collations::set_defaults(std::string_view text) {
    defaults_.clear();
    while (!text.empty()) {
        const std::string_view each = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), each.size() + 1));
        if (const auto equals = each.find('='); equals != std::string_view::npos)
            defaults_.push_back({std::string(each.substr(0, equals)), std::string(each.substr(equals + 1))});
    }
}

const Collation* Collations::at_login(std::uint16_t id) const {
    const auto found = known_.find(id);
    if (ignored_ || found == known_.end()) return nullptr;
    if (found->second.compiled_in) {
        const auto other = std::ranges::find(defaults_, found->second.collation.charset, &Collation::charset);
        if (other != defaults_.end()) return &*other;
    }
    return &found->second.collation;
}

}  // namespace tidegate::session
