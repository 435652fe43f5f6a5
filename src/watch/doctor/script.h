// What would mend the findings, as SQL to read and to run, and the SQL that undoes it. Nothing here executes anything.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "watch/doctor/finding.h"
#include "watch/doctor/looks.h"

namespace tidegate::watch::doctor {

struct Script {
    std::string fix;
    std::string undo;
    std::size_t changes = 0;  // statements that the fix executes
};

// `file` is where the fix will be, `file`.undo where its undoing. Of several changes of one variable or account the
// one that belongs to the greatest harm is made. What belongs to a mere `info` is in it as a comment.
[[nodiscard]] Script script_of(const std::vector<Finding>& findings, const Looks& looks, const std::string& server,
                               const std::string& file);

}  // namespace tidegate::watch::doctor
