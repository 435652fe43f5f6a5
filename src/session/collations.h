// The collations of a server, and which of them a login gets by the id in its handshake. Pure; one thread.
//
// MariaDB (11.2 and later) replaces the collation that a character set was compiled with by what the variable
// character_set_collations says for it: id 45, utf8mb4_general_ci, becomes utf8mb4_uca1400_ai_ci. Other ids stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tidegate::session {

struct Collation {
    std::string charset;
    std::string name;
    friend bool operator==(const Collation&, const Collation&) = default;
};

class Collations {
public:
    void add(std::uint16_t id, Collation collation) { known_[id].collation = std::move(collation); }
    void mark_compiled_in(std::uint16_t id);
    // The variable: "utf8mb3=utf8mb3_uca1400_ai_ci,utf8mb4=utf8mb4_uca1400_ai_ci"; empty where there is none.
    void set_defaults(std::string_view text);
    // The server takes no notice of what logins ask for (--skip-character-set-client-handshake).
    void ignore_logins() { ignored_ = true; }

    // nullptr: the server gives its own default.
    [[nodiscard]] const Collation* at_login(std::uint16_t id) const;

private:
    struct Known {
        Collation collation;
        bool compiled_in = false;
    };
    std::unordered_map<std::uint16_t, Known> known_;
    std::vector<Collation> defaults_;
    bool ignored_ = false;
};

}  // namespace tidegate::session
