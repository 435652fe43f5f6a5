// The flags of `tidegate run`.
#pragma once

#include "cli/run_options.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

void add_run(CLI::App& app, RunOptions& options);

}  // namespace tidegate::cli
