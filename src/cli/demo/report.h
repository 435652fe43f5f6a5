// What the demo shows: progress while it runs, and the two runs side by side at the end.
#pragma once

#include <cstdio>
#include <string>

#include "cli/commands.h"
#include "cli/demo/crowd.h"

namespace tidegate::demo {

struct Comparison {
    std::string server_version;
    Outcome without;
    Outcome with;
};

// Whether all that the gate promises held: nobody failed, and the server never had more than the connections that were
// allowed, and the monitor's.
[[nodiscard]] bool promise_held(const cli::DemoOptions& options, const Outcome& with);

[[nodiscard]] std::string table(const cli::DemoOptions& options, const Comparison& result, bool colours);
[[nodiscard]] std::string json(const cli::DemoOptions& options, const Comparison& result);

// One line that is written over on a terminal; elsewhere one line a step.
class ProgressLine {
public:
    explicit ProgressLine(std::FILE* to);
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    void step(const std::string& text);                      // begins a step
    void count(const Progress& progress, unsigned clients);  // within it
    void clear();

private:
    std::FILE* to_;
    bool terminal_;
    std::string step_;
};

}  // namespace tidegate::demo
