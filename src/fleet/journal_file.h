// A journal on the disk: opened by one run at a time, read once, then written to by the jobs' own parents (process.h).
#pragma once

#include <string>

#include "base/error.h"
#include "fleet/journal.h"

namespace tidegate::fleet {

class JournalFile {
public:
    // Makes the file if need be. While another run, or jobs that it has left behind, hold it, this waits for them up to
    // `patience`.
    [[nodiscard]] static Result<JournalFile> open(const std::string& path, Duration patience);
    JournalFile(JournalFile&& other) noexcept;
    JournalFile& operator=(JournalFile&&) = delete;
    ~JournalFile();

    [[nodiscard]] const Journal& past() const { return past_; }
    [[nodiscard]] int fd() const { return fd_; }

private:
    JournalFile(int fd, Journal past) : fd_(fd), past_(std::move(past)) {}
    int fd_;
    Journal past_;
};

}  // namespace tidegate::fleet
