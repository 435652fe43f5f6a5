// What a command line tells a person: which program it is ("php worker.php", not "/usr/bin/php8.2 -d memory_limit=-1
// /srv/app/worker.php"), which script it runs, and the whole of it without its passwords. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::watch {

struct CommandLine {
    std::string name;    // short; never empty where there is a word or a `task_name`
    std::string script;  // the script's path as it was given, where an interpreter runs one
    std::string text;    // all of it, at most kCommandKept bytes
};
inline constexpr std::size_t kCommandKept = 1000;
inline constexpr std::size_t kNameKept = 60;

// `words` as the process was started, or the title that it has given itself ("php-fpm: pool www"), which is one word
// with blanks. `task_name`: what the kernel calls it (/proc/PID/comm), for a process that has no words.
// No part of the result has a control character, or what may be a password (blot.h).
[[nodiscard]] CommandLine read_command_line(std::vector<std::string> words, std::string_view task_name);

}  // namespace tidegate::watch
