// Where the configuration comes from on this machine: which files, whose environment. The shell around config/.
#pragma once

#include <string>

#include "config/load.h"

namespace tidegate::cli {

// `config_file` as given; empty: ./tidegate.toml, ~/.config/tidegate/tidegate.toml, /etc/tidegate/tidegate.toml, the
// first that exists, if any.
[[nodiscard]] config::Inputs collect_inputs(const std::string& config_file, const config::Flags& flags);

[[nodiscard]] Result<config::FileText> read_file(const std::string& path);
[[nodiscard]] std::string home_folder();  // empty: there is none

}  // namespace tidegate::cli
