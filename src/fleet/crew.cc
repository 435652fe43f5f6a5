#include "fleet/crew.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/log.h"

namespace tidegate::fleet {
namespace {

constexpr std::size_t kReadAtOnce = std::size_t{64} * 1024;
constexpr int kReadsInARow = 16;  // of one worker before the others' turn

Result<std::string> make_folder() {
    const std::array<const char*, 3> bases{std::getenv("XDG_RUNTIME_DIR"), std::getenv("TMPDIR"), "/tmp"};
    for (const char* base : bases) {
        if (base == nullptr || *base == '\0') continue;
        std::string name = fmt::format("{}/tidegate-fleet-XXXXXX", base);
        if (::mkdtemp(name.data()) != nullptr) return name;
    }
    return fail(fmt::format("cannot make a folder for the workers' notify sockets in /tmp: {}", std::strerror(errno)));
}

// As many open files as the system gives; what the limit was before.
std::uint64_t raise_open_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const auto before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return before;
}

}  // namespace

Result<std::unique_ptr<Crew>> Crew::make(net::Loop& loop, Settings settings, CrewEvents& events) {
    std::string folder;
    if (settings.notify) {
        auto made = make_folder();
        if (!made) return std::unexpected(made.error());
        folder = std::move(*made);
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    auto keeper = Keeper::start(
        {.grace = settings.grace, .let_finish = settings.let_finish, .folder = folder, .hold = settings.hold});
    if (!keeper) {
        if (!folder.empty()) ::rmdir(folder.c_str());
        return std::unexpected(keeper.error());
    }
    return std::unique_ptr<Crew>(new Crew(loop, settings, events, std::move(*keeper), std::move(folder)));
}

Crew::Crew(net::Loop& loop, Settings settings, CrewEvents& events, Keeper keeper, std::string folder)
    : loop_(loop),
      settings_(settings),
      events_(events),
      keeper_(std::move(keeper)),
      folder_(std::move(folder)),
      environment_(inherited_environment()),
      open_files_(raise_open_files()) {
    if (settings_.open_files != 0) open_files_ = settings_.open_files;
}

Crew::~Crew() {
    for (auto& [id, member] : members_) {
        ::kill(-member->pid, SIGKILL);
        if (!member->exit) ::waitpid(member->pid, nullptr, 0);
        keeper_.forget(member->pid);
    }
    members_.clear();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Crew::Member* Crew::find(WorkerId id) {
    const auto at = members_.find(id);
    return at != members_.end() ? at->second.get() : nullptr;
}

const Crew::Member* Crew::find(WorkerId id) const {
    const auto at = members_.find(id);
    return at != members_.end() ? at->second.get() : nullptr;
}

pid_t Crew::pid(WorkerId id) const {
    const auto* member = find(id);
    return member != nullptr ? member->pid : 0;
}

// --- starting

Result<void> Crew::open_notify(Member& member) {
    const auto wrong = [&] { return fail(fmt::format("cannot make a notify socket: {}", std::strerror(errno))); };
    member.notify_path = fmt::format("{}/{}.{}", folder_, member.id, ++sockets_made_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (member.notify_path.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return wrong();
    }
    std::memcpy(address.sun_path, member.notify_path.c_str(), member.notify_path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return wrong();
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        auto error = wrong();
        ::close(fd);
        return error;
    }
    member.notify = std::make_unique<net::Socket>(loop_, fd);
    member.notify->watch_rest(&Crew::on_notify, &member);
    return {};
}

Result<void> Crew::open_pipe(Pipe& pipe, int& write_end) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    pipe.end = std::make_unique<net::Socket>(loop_, ends[0]);
    pipe.end->watch_rest(&Crew::on_pipe, &pipe);
    write_end = ends[1];
    return {};
}

Result<void> Crew::start(WorkerId id, std::vector<std::string> command, const std::vector<std::string>& environment,
                         JournalNote journal) {
    auto made = std::make_unique<Member>();
    Member& member = *made;
    member.crew = this;
    member.id = id;
    member.out.member = member.err.member = &member;
    member.err.stream = Stream::err;
    Launch launch_;
    launch_.command = std::move(command);
    launch_.environment = environment_;
    launch_.environment.insert(launch_.environment.end(), environment.begin(), environment.end());
    launch_.open_files = open_files_;
    launch_.journal = journal;
    Result<void> opened = open_pipe(member.out, launch_.out);
    if (opened) opened = open_pipe(member.err, launch_.err);
    if (opened && settings_.notify) {
        opened = open_notify(member);
        launch_.environment.push_back("NOTIFY_SOCKET=" + member.notify_path);
    }
    Result<pid_t> pid = 0;
    if (opened) pid = launch(launch_, keeper_);
    loop_.look_at_clock();  // a deadline that counts from before a hundred starts may be over at once
    if (launch_.out >= 0) ::close(launch_.out);
    if (launch_.err >= 0) ::close(launch_.err);
    if (!opened || !pid) {
        if (!member.notify_path.empty()) ::unlink(member.notify_path.c_str());
        return std::unexpected(opened ? pid.error() : opened.error());
    }
    member.pid = *pid;
    by_pid_[*pid] = id;
    members_[id] = std::move(made);
    return {};
}

// --- ending

void Crew::terminate(WorkerId id) {
    const auto* member = find(id);
    if (member == nullptr) return;
    if (member->exit)
        ::kill(-member->pid, SIGTERM);
    else
        ::kill(member->pid, SIGTERM);
}

void Crew::terminate_group(WorkerId id) {
    if (const auto* member = find(id)) ::kill(-member->pid, SIGTERM);
}

void Crew::kill(WorkerId id) {
    if (const auto* member = find(id)) ::kill(-member->pid, SIGKILL);
}

bool Crew::dies_of_sigterm(WorkerId id) const {
    const auto* member = find(id);
    return member != nullptr && !member->exit && fleet::dies_of_sigterm(member->pid);
}

std::uint64_t Crew::resident_bytes(WorkerId id) const {
    const auto* member = find(id);
    return member != nullptr && !member->exit ? fleet::resident_bytes(member->pid) : 0;
}

bool Crew::ended(const EndedChild& child) {
    if (child.pid == keeper_.pid()) {
        if (renew_keeper()) {
            log::warn("The keeper of the workers was killed; another one is started");
        } else {
            log::error("The keeper of the workers was killed: if this process is killed (-9), its workers go on");
        }
        return true;
    }
    const auto at = by_pid_.find(child.pid);
    if (at == by_pid_.end()) return false;
    leader_ended(*members_.at(at->second), child.exit);
    return true;
}

void Crew::leader_ended(Member& member, Exit exit) {
    by_pid_.erase(member.pid);
    member.exit = exit;
    if (::kill(-member.pid, SIGTERM) != 0 && errno == ESRCH) {
        gone(member);
        return;
    }
    member.kill_at = loop_.now() + settings_.grace;
}

void Crew::tick(TimePoint now) {
    std::vector<Member*> ended;
    for (auto& [id, member] : members_) {
        if (!member->exit) continue;
        if (now >= member->kill_at) ::kill(-member->pid, SIGKILL);
        if (::kill(-member->pid, 0) != 0 && errno == ESRCH) ended.push_back(member.get());
    }
    for (Member* member : ended) gone(*member);
}

void Crew::gone(Member& member) {
    read_pipe(member.out);
    read_pipe(member.err);
    for (Pipe* pipe : {&member.out, &member.err}) {
        pipe->cutter.end([&](std::string_view line) { events_.line(member.id, pipe->stream, line); });
    }
    if (member.notify) {
        read_notices(member);
        ::unlink(member.notify_path.c_str());
    }
    keeper_.forget(member.pid);
    const WorkerId id = member.id;
    const Exit exit = *member.exit;
    members_.erase(id);
    events_.exited(id, exit);
}

void Crew::set_grace(Duration grace) {
    if (settings_.grace == grace) return;
    settings_.grace = grace;
    if (!renew_keeper())
        log::error("The workers keep the time that they had for ending if this process is killed (-9)");
}

// A new one, told of everybody; the one before, if it is still there, has nothing to do any more.
bool Crew::renew_keeper() {
    auto keeper = Keeper::start(
        {.grace = settings_.grace, .let_finish = settings_.let_finish, .folder = folder_, .hold = settings_.hold});
    if (!keeper) {
        log::error("{}", keeper.error().message);
        return false;
    }
    for (const auto& [id, member] : members_) keeper->enter(member->pid);
    keeper_.dismiss();
    keeper_ = std::move(*keeper);
    return true;
}

// --- listening

void Crew::on_pipe(void* context) {
    auto& pipe = *static_cast<Pipe*>(context);
    pipe.end->watch_rest(&Crew::on_pipe, &pipe);
    pipe.member->crew->read_pipe(pipe);
}

void Crew::read_pipe(Pipe& pipe) {
    std::array<char, kReadAtOnce> buffer;
    for (int i = 0; pipe.end && i < kReadsInARow; ++i) {
        const ssize_t got = ::read(pipe.end->fd(), buffer.data(), buffer.size());
        if (got > 0) {
            pipe.cutter.add({buffer.data(), static_cast<std::size_t>(got)},
                            [&](std::string_view line) { events_.line(pipe.member->id, pipe.stream, line); });
        } else if (got == 0) {
            pipe.end.reset();
        } else if (errno != EINTR) {
            return;
        }
    }
    // There is more, and epoll will not say so again.
    if (pipe.end) {
        loop_.post([this, id = pipe.member->id, stream = pipe.stream] {
            if (Member* member = find(id)) read_pipe(stream == Stream::out ? member->out : member->err);
        });
    }
}

void Crew::on_notify(void* context) {
    auto& member = *static_cast<Member*>(context);
    member.notify->watch_rest(&Crew::on_notify, &member);
    member.crew->read_notices(member);
}

void Crew::read_notices(Member& member) {
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t got = ::recv(member.notify->fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return;
        events_.notice(member.id, parse_notice({buffer.data(), static_cast<std::size_t>(got)}));
    }
}

}  // namespace tidegate::fleet
