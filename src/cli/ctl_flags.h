// The flags of `tidegate ctl`.
#pragma once

#include "cli/commands.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

void add_ctl(CLI::App& app, CtlOptions& options);

}  // namespace tidegate::cli
