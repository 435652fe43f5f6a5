#include "session/known_sets.h"

#include <functional>
#include <utility>

namespace tidegate::session {
namespace {

std::size_t hash_of(std::string_view user, const StatePtr& before, std::string_view text) {
    const std::hash<std::string_view> hash;
    return (hash(text) * 31 + hash(user)) * 31 + std::hash<const void*>()(before.get());
}

}  // namespace

const KnownSet* KnownSets::find(std::string_view user, const StatePtr& before, std::string_view text) const {
    const auto [begin, end] = known_.equal_range(hash_of(user, before, text));
    for (auto at = begin; at != end; ++at) {
        const KnownSet& known = at->second;
        if (known.before == before && known.text == text && known.user == user) return &known;
    }
    return nullptr;
}

void KnownSets::learn(KnownSet known) {
    if (find(known.user, known.before, known.text) != nullptr) return;
    if (known_.size() >= kMost) known_.clear();  // whatever is in use is soon learnt again
    const std::size_t hash = hash_of(known.user, known.before, known.text);
    known_.emplace(hash, std::move(known));
}

}  // namespace tidegate::session
