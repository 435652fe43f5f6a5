// One instance of something on this host, whoever starts it: the name is a listening socket in the kernel's abstract
// namespace, which is nobody's file, open to every user alike, and gone the moment its holder is.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"

namespace tidegate::fleet {

class Single {
public:
    struct Holder {
        pid_t pid = 0;
        uid_t user = 0;
        std::string command;  // empty: it has ended, and its workers are about to
    };
    // The name's; nullopt: somebody else holds it, and `holder` says who. An error: such a name cannot be.
    [[nodiscard]] static Result<std::optional<Single>> take(const std::string& name, Holder& holder);
    // Waits, without looking again and again, until it is its turn.
    [[nodiscard]] static Result<Single> wait(const std::string& name);

    Single(Single&& other) noexcept;
    Single& operator=(Single&&) = delete;
    ~Single();
    [[nodiscard]] int fd() const { return fd_; }

private:
    explicit Single(int fd) : fd_(fd) {}
    int fd_;
};

[[nodiscard]] std::string text_of(const Single::Holder& holder);  // "process 4711 of root (php import.php)"

}  // namespace tidegate::fleet
