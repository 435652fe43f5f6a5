// The sections of tidegate.toml, each read into its struct. Internal to config/.
#pragma once

#include <string>
#include <string_view>

#include "config/load.h"
#include "config/section.h"

namespace tidegate::config {

// Reads the text of a configuration file: everything but the server's address and account into `config`, those into
// `source`.
void read_sections(std::string_view text, const ReadFile& read, Report& report, Config& config, ServerSource& source);

}  // namespace tidegate::config
