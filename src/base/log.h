// The program's log: one line an event, text or JSON, to standard error. Shells log; pure folders do not.
// Thread-safe. Passwords and statements' literals never come here.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace tidegate::log {

enum class Format { text, json };

// Call once, before the first thread starts. `level` is one of trace, debug, info, warn, error, off.
void set_up(std::string_view level, Format format);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace tidegate::log
