// What `tidegate doctor` takes.
#pragma once

#include <string>
#include <vector>

#include "cli/server_flags.h"

namespace CLI {
class App;
}

namespace tidegate::cli {

struct DoctorOptions {
    ServerFlags server;
    std::string look = "5s";
    std::string max_idle = "300s";
    std::string memory;  // of the server's machine; empty: this host's, where the server is here
    std::vector<std::string> checks;
    std::string fix_script;
    bool list = false;
    bool json = false;
};
void add_doctor(CLI::App& app, DoctorOptions& options);
[[nodiscard]] int doctor(const DoctorOptions& options);

}  // namespace tidegate::cli
