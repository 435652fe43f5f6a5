// SET statements that have been seen to work: a session that looks as another one did, and sends what that one sent,
// needs no server to become what that one became. Most programs begin each connection with such statements. Pure; one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "session/state.h"

namespace tidegate::session {

struct KnownSet {
    std::string user;  // some variables want a privilege
    StatePtr before;
    std::string text;
    StatePtr after{};
    std::uint16_t status = 0;       // of the reply
    std::vector<Variable> shown{};  // what an ordinary server's trackers tell in it
};

class KnownSets {
public:
    static constexpr std::size_t kMost = 512;

    // nullptr: not known. Good until the next change.
    [[nodiscard]] const KnownSet* find(std::string_view user, const StatePtr& before, std::string_view text) const;
    // REQUIRES: sql::is_constant_set(), and the statement ended well and without warnings.
    void learn(KnownSet known);
    // Privileges or global variables have changed, or the server is another one.
    void clear() { known_.clear(); }
    [[nodiscard]] std::size_t size() const { return known_.size(); }

private:
    std::unordered_multimap<std::size_t, KnownSet> known_;
};

}  // namespace tidegate::session
