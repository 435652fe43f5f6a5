// What only shows once everything is read: settings that contradict each other over sections, and the order of the
// classes. Internal to config/.
#pragma once

#include "config/config.h"
#include "config/section.h"

namespace tidegate::config {

// Gives each class its rank from the weights.
void rank_classes(Config& config, Report& report);

// Reports the contradictions that stand in the file or between it and the flags.
void check_file(const Config& config, Report& report);

// Reports what is wrong with the server that was chosen.
void check_server(const Config& config, Report& report);

}  // namespace tidegate::config
