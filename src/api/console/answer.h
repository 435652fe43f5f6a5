// The answer to one statement at the console.
#pragma once

#include "api/console/sources.h"
#include "proxy/console.h"

namespace tidegate::api::console {

[[nodiscard]] proxy::ConsoleAnswer answer(const proxy::ConsoleQuestion& question, const Sources& sources);

}  // namespace tidegate::api::console
