// What the doctor asks of this host's kernel: memory, the limits of its network, who was started by cron. Linux.
#pragma once

#include <vector>

#include "watch/doctor/looks.h"

namespace tidegate::watch::doctor {

// Memory (of the machine, or of the container where that is less), somaxconn and listen_overflows. What is not there is
// left empty.
[[nodiscard]] Machine look_at_machine();

// Whether cron, or a program that it runs, has started that process.
[[nodiscard]] bool started_by_cron(const Program& program);

}  // namespace tidegate::watch::doctor
