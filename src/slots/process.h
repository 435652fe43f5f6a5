// Which process is that: what the kernel knows of a pid. Linux, /proc.
#pragma once

#include <string>

#include "slots/holder.h"

namespace tidegate::slots {

// The process `pid`, with its command line; `command`, where not empty, is written instead.
[[nodiscard]] Process process_of(int pid, std::string_view command = {});
[[nodiscard]] Process this_process(std::string_view command = {});

// Is exactly this process there still? One that is only waited for by its parent (a zombie) is not.
[[nodiscard]] bool lives(const Process& process);

[[nodiscard]] std::string account_name(std::uint32_t uid);  // "www-data"; the number where it has no name

}  // namespace tidegate::slots
