// A worker's command as words, with what stands for something in them filled in. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fleet/worker.h"

namespace tidegate::fleet {

// {id} in every word becomes the worker's number.
[[nodiscard]] std::vector<std::string> command_of_worker(const std::vector<std::string>& command, WorkerId id);

// {} becomes the job's line, {id} the number of its place; without any {} the line is one more word at the end.
[[nodiscard]] std::vector<std::string> command_of_job(const std::vector<std::string>& command, WorkerId place,
                                                      std::string_view line);

}  // namespace tidegate::fleet
