// What `tidegate validate` takes.
#pragma once

#include "cli/server_flags.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

struct ValidateOptions {
    ServerFlags server;
    bool full = false;
    bool json = false;
};
void add_validate(CLI::App& app, ValidateOptions& options);
[[nodiscard]] int validate(const ValidateOptions& options);

}  // namespace tidegate::cli
