// The flags of `tidegate kill`.
#pragma once

#include "cli/kill_options.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

void add_kill(CLI::App& app, KillOptions& options);

}  // namespace tidegate::cli
