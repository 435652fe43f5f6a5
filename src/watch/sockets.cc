#include "watch/sockets.h"

#include <fmt/core.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>

namespace tidegate::watch {
namespace {

constexpr std::uint8_t kEstablished = 1;  // TCP_ESTABLISHED; <netinet/tcp.h> and <linux/tcp.h> do not go together
constexpr std::uint8_t kListen = 10;      // TCP_LISTEN
constexpr std::uint32_t kWantedStates = 1U << kEstablished | 1U << kListen;
constexpr std::size_t kBuffer = std::size_t{64} * 1024;
constexpr int kTries = 5;  // a list that changed while it was read is read again

Error error_of(int error) {
    return {.message = fmt::format("the kernel's list of sockets cannot be read (netlink sock_diag: {}); run Tidegate "
                                   "outside of the container or sandbox, or look with: ss -tnp",
                                   std::strerror(error))};
}

struct Handle {
    explicit Handle(int number) : fd(number) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (fd >= 0) ::close(fd);
    }
    int fd;
};

template <class Request>
int send_dump(int fd, const Request& request) {
    struct {
        nlmsghdr head;
        Request body;
    } message{};
    message.head.nlmsg_len = sizeof message;
    message.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.body = request;
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const auto sent =
        ::sendto(fd, &message, sizeof message, 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    return sent < 0 ? errno : 0;
}

// EAGAIN: the list changed meanwhile. 0: it was given to `visit`, entry by entry.
template <class Visit>
int read_dump(int fd, Visit&& visit) {
    alignas(nlmsghdr) char buffer[kBuffer];
    bool changed = false;
    for (;;) {
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return EIO;
        auto left = static_cast<unsigned>(got);
        for (auto* head = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
            changed |= (head->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            if (head->nlmsg_type == NLMSG_DONE) return changed ? EAGAIN : 0;
            if (head->nlmsg_type == NLMSG_ERROR) return -static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error;
            if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY) visit(*head);
        }
    }
}

// Calls `add(message, list)` with each entry of the kernel's answer.
template <class Entry, class Request, class Add>
Result<std::vector<Entry>> dump(const Request& request, Add&& add) {
    const Handle netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (netlink.fd < 0) return std::unexpected(error_of(errno));
    for (int tried = 1;; ++tried) {
        std::vector<Entry> list;
        int error = send_dump(netlink.fd, request);
        if (error == 0) error = read_dump(netlink.fd, [&](const nlmsghdr& head) { add(head, list); });
        if (error == 0 || (error == EAGAIN && tried == kTries)) return list;
        if (error != EAGAIN) return std::unexpected(error_of(error));
    }
}

// Calls `visit(type, data)` with each attribute that follows the entry's fixed part.
template <class Body, class Visit>
void for_attributes(const nlmsghdr& head, Visit&& visit) {
    if (head.nlmsg_len < NLMSG_LENGTH(sizeof(Body))) return;
    auto left = static_cast<unsigned>(head.nlmsg_len - NLMSG_LENGTH(sizeof(Body)));
    const auto* at = reinterpret_cast<const char*>(NLMSG_DATA(&head)) + NLMSG_ALIGN(sizeof(Body));
    for (const auto* attribute = reinterpret_cast<const rtattr*>(at); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
        visit(attribute->rta_type,
              std::span(reinterpret_cast<const char*>(RTA_DATA(attribute)), RTA_PAYLOAD(attribute)));
    }
}

template <class Value>
std::optional<Value> value_of(std::span<const char> data) {
    if (data.size() < sizeof(Value)) return std::nullopt;
    Value value;
    std::memcpy(&value, data.data(), sizeof value);
    return value;
}

Ip ip_of(std::uint8_t family, const std::uint32_t (&words)[4]) {
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), words, sizeof words);
    return family == AF_INET ? Ip::v4(std::span(bytes).first<4>()) : Ip::v6(bytes);
}

void add_tcp(const nlmsghdr& head, std::vector<TcpSocket>& list) {
    if (head.nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return;
    const auto& entry = *static_cast<const inet_diag_msg*>(NLMSG_DATA(&head));
    auto& socket = list.emplace_back();
    socket.local = ip_of(entry.idiag_family, entry.id.idiag_src);
    socket.remote = ip_of(entry.idiag_family, entry.id.idiag_dst);
    socket.local_port = ntohs(entry.id.idiag_sport);
    socket.remote_port = ntohs(entry.id.idiag_dport);
    socket.inode = entry.idiag_inode;
    socket.uid = entry.idiag_uid;
    socket.listens = entry.idiag_state == kListen;
    if (socket.listens) return;
    for_attributes<inet_diag_msg>(head, [&](unsigned type, std::span<const char> data) {
        // Kernels differ in how much of it there is; both fields are in all of them.
        constexpr std::size_t kNeeded = offsetof(tcp_info, tcpi_last_ack_recv);
        if (type != INET_DIAG_INFO || data.size() < kNeeded) return;
        tcp_info info{};
        std::memcpy(&info, data.data(), std::min(data.size(), sizeof info));
        socket.since_sent = std::chrono::milliseconds(info.tcpi_last_data_sent);
        socket.since_received = std::chrono::milliseconds(info.tcpi_last_data_recv);
    });
}

Result<std::vector<TcpSocket>> tcp_of(std::uint8_t family) {
    inet_diag_req_v2 request{};
    request.sdiag_family = family;
    request.sdiag_protocol = IPPROTO_TCP;
    request.idiag_states = kWantedStates;
    request.idiag_ext = 1U << (INET_DIAG_INFO - 1);
    return dump<TcpSocket>(request, add_tcp);
}

// "0100007F", or four such words: an address in the machine's own byte order.
std::optional<Ip> ip_of_words(std::string_view text) {
    constexpr std::size_t kDigits = 8;
    std::uint32_t words[4]{};
    if (text.size() != kDigits && text.size() != 4 * kDigits) return std::nullopt;
    for (std::size_t i = 0; i * kDigits < text.size(); ++i) {
        words[i] = static_cast<std::uint32_t>(
            std::strtoul(std::string(text.substr(i * kDigits, kDigits)).c_str(), nullptr, 16));
    }
    return ip_of(text.size() == kDigits ? AF_INET : AF_INET6, words);
}

bool read_end(std::string_view text, Ip& ip, std::uint16_t& port) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    const auto address = ip_of_words(text.substr(0, colon));
    if (!address) return false;
    ip = *address;
    port = static_cast<std::uint16_t>(std::strtoul(std::string(text.substr(colon + 1)).c_str(), nullptr, 16));
    return true;
}

bool read_table(const char* path, std::vector<TcpSocket>& list) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return false;  // the headings
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    std::string skipped;
    while (file >> number >> local >> remote >> state) {
        TcpSocket socket;
        for (int i = 0; i < 3; ++i) file >> skipped;  // queues, timer, retransmissions
        file >> socket.uid >> skipped >> socket.inode;
        std::getline(file, line);
        socket.listens = state == "0A";
        const bool wanted = socket.listens || state == "01";
        if (wanted && read_end(local, socket.local, socket.local_port) &&
            read_end(remote, socket.remote, socket.remote_port)) {
            list.push_back(socket);
        }
    }
    return true;
}

void add_unix(const nlmsghdr& head, std::vector<UnixSocket>& list) {
    if (head.nlmsg_len < NLMSG_LENGTH(sizeof(unix_diag_msg))) return;
    const auto& entry = *static_cast<const unix_diag_msg*>(NLMSG_DATA(&head));
    if (entry.udiag_type != SOCK_STREAM) return;
    auto& socket = list.emplace_back();
    socket.inode = entry.udiag_ino;
    socket.listens = entry.udiag_state == kListen;
    for_attributes<unix_diag_msg>(head, [&](unsigned type, std::span<const char> data) {
        if (type == UNIX_DIAG_PEER) socket.peer = value_of<std::uint32_t>(data).value_or(0);
        if (type == UNIX_DIAG_UID) socket.uid = value_of<std::uint32_t>(data);
        if (type != UNIX_DIAG_NAME || data.empty()) return;
        const bool abstract = data.front() == '\0';
        const std::string_view name(data.data(), data.size());
        socket.path = abstract ? fmt::format("@{}", name.substr(1)) : std::string(name.substr(0, name.find('\0')));
    });
}

}  // namespace

Result<std::vector<TcpSocket>> tcp_sockets() {
    auto all = tcp_of(AF_INET);
    if (!all) {
        std::vector<TcpSocket> list;
        if (!read_table("/proc/net/tcp", list)) return all;
        read_table("/proc/net/tcp6", list);
        return list;
    }
    if (const auto six = tcp_of(AF_INET6)) all->insert(all->end(), six->begin(), six->end());  // not every host has it
    return all;
}

Result<std::vector<UnixSocket>> unix_sockets() {
    unix_diag_req request{};
    request.sdiag_family = AF_UNIX;
    request.udiag_states = kWantedStates;
    request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_UID;
    return dump<UnixSocket>(request, add_unix);
}

}  // namespace tidegate::watch
