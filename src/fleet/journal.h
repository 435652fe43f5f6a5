// The journal of a run over jobs, as text: which lines have been finished, so that an interrupted run goes on where it
// was. Pure: the file is journal_file.h's.
//
//   tidegate-journal 1
//   17 0 af63bd4c8601b7be       the job of line 17 ended with exit code 0; the number at the end is of the line's text
//   18 137 08328707b4eb6e38     ended by signal 9, as a shell has it: 128 + 9
//
// A job is finished when its last line says 0. A line that the end of the machine has cut off counts as not written.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fleet/jobs.h"

namespace tidegate::fleet {

inline constexpr std::string_view kJournalHead = "tidegate-journal 1\n";

[[nodiscard]] std::uint64_t fingerprint(std::string_view line);  // FNV-1a
[[nodiscard]] int shell_code(Exit exit);                         // 128 + N for signal N

class Journal {
public:
    // Reads what earlier runs have left. An error: it is no journal, or a line in its middle is not one of its own.
    [[nodiscard]] static Result<Journal> parse(std::string_view text);

    enum class Verdict : std::uint8_t { new_job, finished, other_text };
    [[nodiscard]] Verdict look_up(JobNumber number, std::string_view line) const;
    [[nodiscard]] std::uint64_t finished() const;
    // How much of the text is whole lines; the rest was cut off.
    [[nodiscard]] std::size_t whole() const { return whole_; }

private:
    struct Entry {
        int code;
        std::uint64_t fingerprint;
    };
    std::map<JobNumber, Entry> entries_;
    std::size_t whole_ = 0;
};

}  // namespace tidegate::fleet
