// `tidegate exec`: runs one command while holding a slot. The slot is the kernel's lock, which this process and the
// command both have: neither's death alone frees it while the command runs.
#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/slot_settings.h"
#include "config/values.h"
#include "slots/process.h"
#include "slots/text.h"

namespace tidegate::cli {
namespace {

using slots::Claim;
using slots::Slot;

constexpr int kForwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};

int complain(int code, std::string_view sentence) {
    fmt::print(stderr, "tidegate: {}\n", sentence);
    return code;
}

std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
    return line;
}

// "php import.php --all" becomes php_import.php_--all: what --single goes by when there is no --name.
std::string name_of_command(const std::vector<std::string>& command) {
    std::string name = joined(command).substr(0, 48);
    name = name.substr(name.find_first_not_of("./-") == std::string::npos ? 0 : name.find_first_not_of("./-"));
    for (char& c : name) {
        if (!slots::is_pool_name(std::string("a") + c)) c = '_';
    }
    return name;
}

// What the options ask for; an error is a sentence about one of them.
Result<Claim> claim_of(const ExecOptions& options, const SlotSettings& settings, TimePoint now) {
    Duration wait = options.single && options.wait.empty() ? Duration::zero() : settings.wait;
    if (!options.wait.empty()) {
        const auto given = config::parse_duration(options.wait);
        if (!given)
            return fail(fmt::format("--wait must be a time such as 30s, 500ms or 2m; \"{}\" is none", options.wait));
        wait = *given;
    }
    std::string name = options.name;
    if (name.empty()) name = options.single ? name_of_command(options.command) : std::string(slots::kDefaultPool);
    if (!slots::is_pool_name(name)) {
        return fail(fmt::format("--name must be 1 to 64 letters, digits and . _ -; \"{}\" is not", name));
    }
    if (options.single) name = "single." + name.substr(0, 57);
    Claim claim = slots::make_claim(std::move(name), wait, now);
    claim.priority = options.priority;
    claim.slots = options.single ? 1 : settings.slots;
    claim.slots_said = options.single || !options.slots.empty();
    claim.who.set_command(joined(options.command));
    if (!options.slots.empty()) {
        const auto slots = config::parse_unsigned(options.slots);
        if (!slots || *slots < 1 || *slots > slots::PoolFile::kMostSlots) {
            return fail(fmt::format("--slots must be a number between 1 and {}", slots::PoolFile::kMostSlots));
        }
        if (options.single && *slots != 1) return fail("--single is one slot; it and --slots contradict each other");
        claim.slots = slots;
    }
    return claim;
}

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (const int number : kForwarded) sigaddset(&set, number);
    return set;
}

// In the child: the command, with everything of the system's as this program found it.
[[noreturn]] void become(const std::vector<std::string>& command, Slot& slot, const sigset_t& mask) {
    std::vector<char*> words;
    words.reserve(command.size() + 1);
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    if (!slot.keep_in_child()) _exit(complain(kCritical, "the command cannot be given its slot"));
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    execvp(words[0], words.data());
    const int error = errno;
    const int code = error == ENOENT ? kNotFound : kCannotRun;
    _exit(complain(code, fmt::format("{} cannot be run: {}", command[0], std::strerror(error))));
}

// Waits for the command and passes signals on to it; its status as waitpid() gives it.
int attend(pid_t child, const sigset_t& set) {
    while (true) {
        siginfo_t info{};
        const int number = sigwaitinfo(&set, &info);
        if (number < 0) continue;
        if (number == SIGCHLD) {
            int status = 0;
            if (waitpid(child, &status, WNOHANG) == child) return status;
        } else if (info.si_code != SI_KERNEL) {  // what the terminal sends goes to the command as well
            kill(child, number);
        }
    }
}

// Ends as the command has ended: with its code, or by the same signal.
int end_like(int status) {
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    const int number = WTERMSIG(status);
    const rlimit no_core{};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    raise(number);
    return 128 + number;
}

int run_holding(const std::vector<std::string>& command, Slot& slot, slots::HoldBy by, bool verbose) {
    const auto began = Clock::now();
    if (const auto prepared = slot.prepare_child(by); !prepared) return complain(kCritical, prepared.error().message);
    const sigset_t set = watched_signals();
    sigset_t before;
    sigprocmask(SIG_BLOCK, &set, &before);
    fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) return complain(kCritical, fmt::format("no process can be started: {}", std::strerror(errno)));
    if (child == 0) become(command, slot, before);
    const int status = attend(child, set);
    const auto ledger = slot.child_ended();
    if (verbose) {
        log::info("Slot {} of '{}' given back after {} ({})", slot.number(), slot.pool(),
                  slots::text_of(Clock::now() - began), ledger ? slots::figures(*ledger) : "by the gate's account");
    }
    return end_like(status);
}

// Who has the one slot of --single.
std::string running_already(const slots::Door& door, const Claim& claim) {
    const auto view = door.look(claim.pool);
    const auto* holder = view ? view->ledger.holder(0) : nullptr;
    if (holder == nullptr) return "it runs already; this one does nothing";
    return fmt::format("it runs already: {}, since {}; this one does nothing", slots::who(holder->who),
                       slots::text_of(Clock::now() - holder->since));
}

}  // namespace

int exec(const ExecOptions& options) {
    if (options.command.empty()) return complain(kUsage, "exec needs a command: tidegate exec -- php import.php");
    const auto settings = slot_settings(options.config_file);
    if (!settings) return settings.error();
    const auto claim = claim_of(options, *settings, Clock::now());
    if (!claim) return complain(kUsage, claim.error().message);
    if (options.verbose) log::set_up("info", log::Format::text);
    const auto door = open_door(*settings);
    if (!door) return door.error();

    slots::Door::Waiting waiting;
    if (options.verbose) {
        waiting = [](const slots::Turn& turn) {
            const auto waited = slots::text_of(Clock::now() - turn.claim().since);
            if (const auto* file = turn.at_file()) {
                log::info("Waiting for a slot of '{}': look {}, {} before this one, {} ({})", turn.claim().pool,
                          file->looks(), file->ahead(), waited, slots::figures(*file->ledger()));
            } else {
                log::info("Waiting for a slot of '{}' at the gate, {}", turn.claim().pool, waited);
            }
        };
    }
    auto slot = door->acquire(*claim, waiting);
    if (!slot && slot.error().code == slots::kNoSlot) {
        if (options.single && options.wait.empty()) return complain(kWell, running_already(*door, *claim));
        return complain(kNoSlotInTime, slot.error().message);
    }
    if (!slot) return complain(kCritical, slot.error().message);
    if (options.verbose) {
        const auto view = door->look(claim->pool);
        log::info("Slot {} of '{}' taken after {} ({})", slot->number(), slot->pool(), slots::text_of(slot->waited()),
                  view ? slots::figures(view->ledger) : "");
    }
    const auto by = options.hold_by == "tree" ? slots::HoldBy::tree : slots::HoldBy::process;
    return run_holding(options.command, *slot, by, options.verbose);
}

}  // namespace tidegate::cli
