#include "slots/gate_turn.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "slots/line_protocol.h"
#include "slots/text.h"

namespace tidegate::slots {
namespace {

constexpr Duration kGrace = 1s;  // for the gate to say that the time is over

// Connected; nothing: no gate listens there.
Descriptor connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return {};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return {};
    // Waits, for a crowd may be before us; a gate that is gone refuses at once.
    int connected = -1;
    do {
        connected = connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } while (connected != 0 && errno == EINTR);
    return connected == 0 ? std::move(socket) : Descriptor();
}

bool say(int socket, std::string_view line) {
    return send(socket, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size());
}

// What is there to read, and the descriptor that came along, if one did. 0: the end; -1: nothing yet.
ssize_t hear(int socket, std::span<char> into, Descriptor& descriptor) {
    iovec part{into.data(), into.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? -1 : 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
        descriptor = Descriptor(fd);
    }
    return got;
}

}  // namespace

GateTurn::GateTurn(const Place& place, Claim claim, Descriptor socket)
    : place_(place), claim_(std::move(claim)), socket_(std::move(socket)) {}

std::optional<GateTurn> GateTurn::begin(const Place& place, const Claim& claim, TimePoint now) {
    Descriptor socket = connect_to(place.socket());
    if (!socket) return std::nullopt;
    Line line;
    line.pool = claim.pool;
    line.priority = claim.priority;
    line.lock = true;
    if (claim.slots_said) line.slots = claim.slots;
    line.wait = std::max(claim.deadline - now, Duration::zero());
    line.waited = now - claim.since;
    line.command = claim.who.command();
    if (!say(socket.get(), acquire_line(line))) return std::nullopt;
    return GateTurn(place, claim, std::move(socket));
}

GateTurn::State GateTurn::look(TimePoint now) {
    std::array<char, kLongestLine> buffer{};
    while (!result_) {
        const ssize_t got = hear(socket_.get(), buffer, lock_);
        if (got == 0) return State::gate_gone;
        if (got < 0) break;
        heard_.append(buffer.data(), static_cast<std::size_t>(got));
        const auto end = heard_.find('\n');
        if (end != std::string::npos) read_reply(std::string_view(heard_).substr(0, end), std::move(lock_), now);
    }
    if (!result_ && now >= claim_.deadline + kGrace) {
        result_ = fail(kNoSlot, "08004",
                       fmt::format("no slot of '{}' within {}: the gate that gives them does not answer ({})",
                                   claim_.pool, text_of(now - claim_.since), place_.socket()));
    }
    return result_ ? State::done : State::waiting;
}

void GateTurn::read_reply(std::string_view line, Descriptor lock, TimePoint now) {
    const auto reply = parse_reply(line);
    if (reply && reply->ok && lock) {
        result_ = Slot(claim_.pool, reply->slot, PoolFile(place_.file(claim_.pool), std::move(lock)),
                       now - claim_.since, std::move(socket_));
    } else if (reply && reply->timed_out) {
        result_ = fail(kNoSlot, "08004",
                       fmt::format("no slot of '{}' within {}: {} are taken and {} more wait at the gate. `tidegate "
                                   "slots` shows who holds them",
                                   claim_.pool, text_of(now - claim_.since), reply->active, reply->waiting));
    } else {
        result_ = fail(fmt::format("the gate at {} gave no slot: {}", place_.socket(), line));
    }
}

TimePoint GateTurn::next_look() const {
    return claim_.deadline + kGrace;
}

std::optional<std::string> ask_gate(const Place& place, const std::string& line, std::string_view until) {
    const Descriptor socket = connect_to(place.socket());
    if (!socket || !say(socket.get(), line)) return std::nullopt;
    std::string heard;
    std::array<char, 16384> buffer{};
    Descriptor unused;
    while (!heard.ends_with(until)) {
        pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
        if (poll(&waiting, 1, 5000) <= 0) return std::nullopt;
        const ssize_t got = hear(socket.get(), buffer, unused);
        if (got == 0) return std::nullopt;
        if (got > 0) heard.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return heard;
}

}  // namespace tidegate::slots
