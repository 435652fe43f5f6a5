// What a person reads when nothing gets into a server any more: who of this host holds its connections, and the ways
// out in order of harm, each with its literal command. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "watch/local.h"
#include "watch/ways.h"

namespace tidegate::watch {

struct Emergency {
    ServerAddress server;
    std::string user;                // the account that was tried
    std::string flags;               // for the commands of Tidegate that are given: "--server mysql://db"; no password
    std::vector<Attempt> failed;     // the ways that were tried; the first says what is wrong
    std::optional<LocalView> local;  // nothing: this host could not be looked at
    bool root = false;               // who asks is root here
    std::vector<std::string> php_fpm;  // php_fpm_services()
};

inline constexpr std::size_t kEmergencyLines = 45;
inline constexpr std::size_t kEmergencyColumns = 100;

// At most kEmergencyLines lines of at most kEmergencyColumns columns (but for a command with a longer word), each with
// its line feed.
[[nodiscard]] std::string emergency_text(const Emergency& emergency);

// Not root here, and the server elsewhere or another user's: somebody else runs it, who has to be asked.
[[nodiscard]] bool is_likely_shared_hosting(const Emergency& emergency);

}  // namespace tidegate::watch
