#include "fleet/connections.h"

#include <dirent.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fleet/process.h"
#include "net/address.h"

namespace tidegate::fleet {
namespace {

using Inode = std::uint64_t;

// Calls `visit` with the inode of each socket that the process has open.
template <class Visit>
void for_sockets(pid_t pid, Visit&& visit) {
    const auto folder = fmt::format("/proc/{}/fd", pid);
    DIR* const files = ::opendir(folder.c_str());
    if (files == nullptr) return;
    while (const dirent* file = ::readdir(files)) {
        std::array<char, 64> target{};
        const auto path = fmt::format("{}/{}", folder, file->d_name);
        const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
        constexpr std::string_view kSocket = "socket:[";
        if (length <= 0) continue;
        std::string_view text(target.data(), static_cast<std::size_t>(length));
        if (!text.starts_with(kSocket)) continue;
        text.remove_prefix(kSocket.size());
        Inode inode = 0;
        std::from_chars(text.data(), text.data() + text.size(), inode);
        visit(inode);
    }
    ::closedir(files);
}

template <class Number>
std::optional<Number> hexadecimal(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// "0100007F:1AE4": the address in words of the machine's own byte order, and the port.
std::optional<std::string> address_of(std::string_view text) {
    constexpr std::size_t kWord = 8;
    const auto colon = text.find(':');
    if (colon != kWord && colon != 4 * kWord) return std::nullopt;
    const auto port = hexadecimal<std::uint16_t>(text.substr(colon + 1));
    std::array<std::uint32_t, 4> words{};
    for (std::size_t i = 0; i * kWord < colon; ++i) {
        const auto word = hexadecimal<std::uint32_t>(text.substr(i * kWord, kWord));
        if (!word) return std::nullopt;
        words[i] = *word;
    }
    if (!port) return std::nullopt;
    const bool mapped = colon != kWord && words[0] == 0 && words[1] == 0 && words[2] == htonl(0xFFFF);
    if (colon == kWord || mapped) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(*port);
        address.sin_addr.s_addr = mapped ? words[3] : words[0];
        return net::Address(reinterpret_cast<const sockaddr*>(&address), sizeof address).text();
    }
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(*port);
    std::memcpy(&address.sin6_addr, words.data(), sizeof address.sin6_addr);
    return net::Address(reinterpret_cast<const sockaddr*>(&address), sizeof address).text();
}

// Calls `visit` with the inode and the own end of each established TCP connection.
template <class Visit>
void for_tcp_connections(const char* table, Visit&& visit) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the headings
    for (std::string number, local, remote, state, skipped; file >> number >> local >> remote >> state;) {
        for (int i = 0; i < 5; ++i) file >> skipped;  // queues, timers, user, time-out
        Inode inode = 0;
        file >> inode;
        std::getline(file, line);
        if (state == "01") visit(inode, local);
    }
}

}  // namespace

std::vector<proxy::Party> parties_of(std::span<const pid_t> leaders) {
    std::vector<proxy::Party> parties(leaders.size());
    std::unordered_map<Inode, std::size_t> owners;
    for (std::size_t i = 0; i < leaders.size(); ++i) {
        parties[i].processes = processes_of(leaders[i]);
        for (const pid_t process : parties[i].processes) {
            for_sockets(process, [&](Inode inode) { owners.emplace(inode, i); });
        }
    }
    if (owners.empty()) return parties;
    for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
        for_tcp_connections(table, [&](Inode inode, std::string_view local) {
            const auto owner = owners.find(inode);
            if (owner == owners.end()) return;
            if (auto address = address_of(local)) parties[owner->second].addresses.push_back(std::move(*address));
        });
    }
    return parties;
}

}  // namespace tidegate::fleet
