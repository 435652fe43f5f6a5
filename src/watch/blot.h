// Takes the passwords out of a command line before anybody sees it: of what may be one, rather too much than too
// little. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::watch {

inline constexpr std::string_view kBlot = "***";

// In place: --password=X, --password X, "password": X, mysql -pX, scheme://user:X@host, user:X@tcp(host), -u user:X,
// IDENTIFIED BY X, MYSQL_PWD=X, and the like for secrets, tokens and keys. What follows such a word is blotted up to
// the end of its argument; in a line of a shell (sh -c), word by word as the shell would take it. Program text (php -r)
// is left out: a password may be anywhere in it.
void blot_passwords(std::vector<std::string>& words);

}  // namespace tidegate::watch
