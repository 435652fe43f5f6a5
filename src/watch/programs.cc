// end() of programs.h: the signals, and the waiting for what they do.
#include "watch/programs.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "watch/processes.h"

namespace tidegate::watch {
namespace {

constexpr Duration kAfterKill = 5s;
constexpr Duration kLook = 50ms;  // where the kernel has no handles for processes (before Linux 5.3)

// A handle that stays with this one process, whoever gets its pid later.
class Process {
public:
    explicit Process(const Target& target) : target_(&target) {
        fd_ = static_cast<int>(::syscall(SYS_pidfd_open, target.program.pid, 0));
        // Looked at after the handle was taken: if it is the one that was chosen now, the handle is its.
        there_ = start_tick_of(target.program.pid) == target.program.start_tick;
    }
    Process(Process&& other) noexcept
        : target_(other.target_), fd_(std::exchange(other.fd_, -1)), there_(other.there_) {}
    Process& operator=(Process&&) = delete;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (fd_ >= 0) ::close(fd_);
    }

    [[nodiscard]] const Target& target() const { return *target_; }
    [[nodiscard]] int fd() const { return fd_; }

    // 0, or errno.
    [[nodiscard]] int send(int signal) const {
        if (has_ended()) return ESRCH;
        const long sent =
            fd_ >= 0 ? ::syscall(SYS_pidfd_send_signal, fd_, signal, nullptr, 0) : ::kill(target_->program.pid, signal);
        return sent == 0 ? 0 : errno;
    }

    [[nodiscard]] bool has_ended() const {
        if (!there_) return true;
        if (fd_ < 0) return start_tick_of(target_->program.pid) != target_->program.start_tick;
        pollfd one{fd_, POLLIN, 0};
        return ::poll(&one, 1, 0) > 0;
    }

private:
    const Target* target_;
    int fd_ = -1;
    bool there_ = false;
};

int milliseconds_until(TimePoint deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::max<long>(0, static_cast<long>(left)));
}

class Ending {
public:
    Ending(const std::vector<Target>& targets, const std::function<void(const EndedProgram&)>& tell) : tell_(tell) {
        for (const auto& target : targets) left_.emplace_back(target);
    }

    std::vector<EndedProgram> run(Duration grace) {
        ask_all();
        wait(grace, ProgramEnd::ended);
        for (const auto& process : left_) static_cast<void>(process.send(SIGKILL));
        wait(kAfterKill, ProgramEnd::killed);
        for (const auto& process : left_) {
            note(process, ProgramEnd::stays,
                 "the kernel holds on to it (a disk or a network file system that does not answer): it ends when that "
                 "does");
        }
        return std::move(ended_);
    }

private:
    void ask_all() {
        std::vector<Process> asked;
        for (auto& process : left_) {
            const int error = process.send(SIGTERM);
            if (error == 0) {
                static_cast<void>(process.send(SIGCONT));  // one that was stopped hears nothing
                asked.push_back(std::move(process));
            } else if (error == ESRCH) {
                note(process, ProgramEnd::gone, "");
            } else {
                note(process, ProgramEnd::refused, why_refused(process.target().program, error));
            }
        }
        left_ = std::move(asked);
    }

    static std::string why_refused(const Program& program, int error) {
        if (error != EPERM) return std::strerror(error);
        return fmt::format("it belongs to {}: run this as {} or as root", program.account, program.account);
    }

    void note(const Process& process, ProgramEnd end, std::string why) {
        ended_.push_back({process.target(), end, std::move(why)});
        if (tell_) tell_(ended_.back());
    }

    // Until all of them have ended, or the time is over.
    void wait(Duration time, ProgramEnd end) {
        const auto deadline = Clock::now() + time;
        for (;;) {
            std::vector<Process> there;
            for (auto& process : left_) {
                if (process.has_ended()) {
                    note(process, end, "");
                } else {
                    there.push_back(std::move(process));
                }
            }
            left_ = std::move(there);
            if (left_.empty() || Clock::now() >= deadline) return;
            sleep_until(deadline);
        }
    }

    // Or until one ends.
    void sleep_until(TimePoint deadline) const {
        std::vector<pollfd> fds;
        for (const auto& process : left_) {
            if (process.fd() >= 0) fds.push_back({process.fd(), POLLIN, 0});
        }
        const auto until = fds.size() == left_.size() ? deadline : std::min(deadline, Clock::now() + kLook);
        ::poll(fds.data(), fds.size(), milliseconds_until(until));
    }

    const std::function<void(const EndedProgram&)>& tell_;
    std::vector<Process> left_;
    std::vector<EndedProgram> ended_;
};

}  // namespace

std::string_view name_of(ProgramEnd end) {
    switch (end) {
        case ProgramEnd::ended:
            return "ended";
        case ProgramEnd::killed:
            return "killed";
        case ProgramEnd::gone:
            return "gone";
        case ProgramEnd::refused:
            return "refused";
        case ProgramEnd::stays:
            break;
    }
    return "stays";
}

std::vector<EndedProgram> end(const std::vector<Target>& targets, Duration grace,
                              const std::function<void(const EndedProgram&)>& tell) {
    return Ending(targets, tell).run(grace);
}

}  // namespace tidegate::watch
