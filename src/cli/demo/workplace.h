// The demo's temporary folder, and the caretaker: a child process that outlives the demo by a moment, whatever ends it,
// and removes the folder. Make it before any thread; it is owned by the main thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.h"

namespace tidegate::demo {

class Workplace {
public:
    [[nodiscard]] static Result<Workplace> make();
    Workplace(Workplace&& other) noexcept;
    Workplace& operator=(Workplace&&) = delete;
    // Returns when the folder is gone. REQUIRES: the programs that use it have ended.
    ~Workplace();

    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] std::string file(std::string_view name) const { return folder_ + "/" + std::string(name); }

private:
    Workplace(std::string folder, int life_line, pid_t caretaker)
        : folder_(std::move(folder)), life_line_(life_line), caretaker_(caretaker) {}

    std::string folder_;
    int life_line_ = -1;  // the caretaker reads the other end: it is closed when we are gone
    pid_t caretaker_ = -1;
};

// A new file that only we can read.
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace tidegate::demo
