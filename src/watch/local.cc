// How it goes: the server's name is resolved; among the kernel's sockets the listening one with that address and port
// is looked for. If it is of this host, the process that has it shows the server's other ports and its Unix sockets,
// and every connection to one of them counts. Else those to the address and port count. /proc then tells whose they
// are.
#include "watch/local.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "watch/addresses.h"
#include "watch/ip.h"
#include "watch/processes.h"
#include "watch/server_threads.h"
#include "watch/sockets.h"

namespace tidegate::watch {
namespace {

constexpr std::uint32_t kUnknownUser = ~0U;

// Programs that listen in a server's place and hand on to where it is.
constexpr std::array<std::string_view, 20> kForwarders{
    "ssh",   "sshd",        "autossh",  "docker-proxy", "rootlessport", "slirp4netns", "pasta",
    "passt", "conmon",      "kubectl",  "haproxy",      "socat",        "stunnel",     "stunnel4",
    "envoy", "mysqlrouter", "proxysql", "maxscale",     "tidegate",     "nginx"};

bool is_forwarder(const Program& program) {
    const std::string_view name = program.name;
    const auto word = name.substr(0, name.find_first_of(" :"));
    return std::ranges::find(kForwarders, word) != kForwarders.end() || word.starts_with("cloud_sql_proxy") ||
           word.starts_with("cloud-sql-proxy");
}

// Both name the same socket, though perhaps through links (/var/run, /run).
bool same_path(const std::string& a, const std::string& b) {
    if (a == b) return true;
    if (a.empty() || b.empty() || a.front() == '@' || b.front() == '@') return false;
    std::error_code error;
    return std::filesystem::weakly_canonical(a, error) == std::filesystem::weakly_canonical(b, error) && !error;
}

std::string_view base_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool is_x_protocol(std::string_view path) {
    return base_of(path).starts_with("mysqlx");
}

// "mysqld.sock", "mysql.sock", "mariadb.sock"
bool looks_like_servers(std::string_view path) {
    const auto base = base_of(path);
    return (base.starts_with("mysql") || base.starts_with("maria")) && base.ends_with(".sock") && !is_x_protocol(path);
}

template <class Value>
void add_unique(std::vector<Value>& to, const Value& value) {
    if (std::ranges::find(to, value) == to.end()) to.push_back(value);
}

class Look {
public:
    Look(const ServerAddress& server, std::vector<Ip> targets)
        : server_(server), targets_(std::move(targets)), own_(own_addresses()) {}

    Result<LocalView> run() {
        auto tcp = tcp_sockets();
        auto unix_list = unix_sockets();
        if (!tcp) return std::unexpected(tcp.error());
        if (!unix_list && server_.host.empty()) return std::unexpected(unix_list.error());
        tcp_ = std::move(*tcp);
        if (unix_list) unix_ = std::move(*unix_list);
        owners_ = all_socket_owners();
        note_self();
        find_server();
        collect_tcp();
        collect_unix();
        return finish();
    }

private:
    // ---- the server

    [[nodiscard]] bool is_of_this_host(const Ip& ip) const {
        return ip.is_loopback() || std::ranges::find(own_, ip) != own_.end();
    }

    // How well a listening socket fits what the operator named: the address itself, any address, a loopback one too.
    [[nodiscard]] int fitness(const TcpSocket& socket) const {
        if (!socket.listens || socket.local_port != server_.port) return 0;
        int best = 0;
        for (const auto& target : targets_) {
            if (!is_of_this_host(target)) continue;
            if (socket.local == target) return 3;
            if (socket.local.is_any()) best = std::max(best, 2);
            if (socket.local.is_loopback() && target.is_loopback()) best = std::max(best, 1);
        }
        return best;
    }

    void note_self() {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) == 0) view_.host_name = name.data();
        view_.self = ::getpid();
    }

    [[nodiscard]] std::vector<int> owners_of(std::uint64_t inode) const {
        const auto at = owners_.find(inode);
        return inode == 0 || at == owners_.end() ? std::vector<int>{} : at->second;
    }

    // The one that opened it: the eldest of those that have it.
    [[nodiscard]] static int eldest_of(const std::vector<int>& pids) {
        if (pids.size() == 1) return pids.front();
        const auto age = [](int pid) {
            const auto start = start_tick_of(pid);
            return std::pair(start == 0 ? ~std::uint64_t{0} : start, pid);
        };
        return *std::ranges::min_element(pids, {}, age);
    }

    void find_server() {
        const auto at = std::ranges::max_element(tcp_, {}, [this](const TcpSocket& one) { return fitness(one); });
        if (at != tcp_.end() && fitness(*at) > 0) {
            listens_ = *at;
            note_server(owners_of(at->inode));
            if (listeners_.empty()) add_listener(*at);
        }
        for (const auto& socket : unix_) {
            if (!socket.listens || server_.socket.empty() || !same_path(socket.path, server_.socket)) continue;
            if (!view_.server) note_server(owners_of(socket.inode));
            add_path(socket.path, server_.socket);
        }
        if (!view_.server && listens_) guess_path(listens_->uid);
        if (!server_.socket.empty()) add_unique(view_.sockets, server_.socket);
        std::ranges::sort(view_.ports);
    }

    void note_server(const std::vector<int>& owners) {
        view_.server_is_here = true;
        if (owners.empty()) return;
        const int pid = eldest_of(owners);
        view_.server = program_of(pid);
        if (view_.server && is_forwarder(*view_.server)) view_.server_is_here = false;
        const auto inodes = sockets_of(pid);
        const auto has = [&](std::uint64_t inode) { return std::ranges::binary_search(inodes, inode); };
        for (const auto& socket : tcp_) {
            if (socket.listens && has(socket.inode) && (view_.server_is_here || is_asked_for(socket))) {
                add_listener(socket);
            }
        }
        if (!view_.server_is_here) return;
        for (const auto& socket : unix_) {
            if (socket.listens && has(socket.inode) && !socket.path.empty()) add_path(socket.path, whole(socket.path));
        }
    }

    [[nodiscard]] bool is_asked_for(const TcpSocket& socket) const {
        return listens_ && socket.inode == listens_->inode;
    }

    void add_listener(const TcpSocket& socket) {
        listeners_.push_back(socket);
        add_unique(view_.ports, socket.local_port);
    }

    // A server may have been told of its socket by a relative path.
    [[nodiscard]] std::string whole(const std::string& path) const {
        if (path.starts_with('/') || path.starts_with('@') || !view_.server || view_.server->folder.empty())
            return path;
        return fmt::format("{}/{}", view_.server->folder, path);
    }

    void add_path(const std::string& bound, const std::string& shown) {
        add_unique(bound_, bound);
        const auto is_same = [&](const std::string& known) { return same_path(known, shown); };
        if (!is_x_protocol(shown) && std::ranges::none_of(view_.sockets, is_same)) view_.sockets.push_back(shown);
    }

    // Whose listening sockets are is hidden from us: the only one of the server's account that is called like a
    // server's is taken for its.
    void guess_path(std::uint32_t uid) {
        std::vector<std::string> paths;
        for (const auto& socket : unix_) {
            if (socket.listens && socket.uid == uid && looks_like_servers(socket.path)) add_unique(paths, socket.path);
        }
        if (paths.size() == 1) add_path(paths.front(), paths.front());
    }

    // ---- its clients

    [[nodiscard]] bool leads_to_server(const Ip& remote, std::uint16_t port) const {
        if (listeners_.empty()) {
            const auto is_meant = [&](const Ip& target) {
                return target == remote || (target.is_loopback() && remote.is_loopback());
            };
            return port == server_.port && std::ranges::any_of(targets_, is_meant);
        }
        return std::ranges::any_of(listeners_, [&](const TcpSocket& listener) {
            if (listener.local_port != port) return false;
            return listener.local.is_any() ? is_of_this_host(remote) : listener.local == remote;
        });
    }

    void collect_tcp() {
        for (const auto& socket : tcp_) {
            if (socket.listens || !leads_to_server(socket.remote, socket.remote_port)) continue;
            LocalEnd end{.port = socket.local_port,
                         .address = socket.local.text(),
                         .inode = socket.inode,
                         .uid = socket.uid,
                         .quiet = std::nullopt,
                         .spoke_last = false,
                         .server_thread = 0,
                         .also = {}};
            if (socket.since_sent && socket.since_received) {
                end.quiet = std::min(*socket.since_sent, *socket.since_received);
                end.spoke_last = *socket.since_sent < *socket.since_received;
            }
            add(std::move(end));
        }
    }

    // The sockets that the server has accepted bear its path; their peers are the clients'.
    void collect_unix() {
        std::map<std::uint64_t, const UnixSocket*> by_inode;
        std::unordered_map<std::uint64_t, int> threads;
        bool looked = false;
        for (const auto& socket : unix_) by_inode.emplace(socket.inode, &socket);
        for (const auto& socket : unix_) {
            const bool accepted =
                !socket.listens && socket.peer != 0 && std::ranges::find(bound_, socket.path) != bound_.end();
            if (!accepted) continue;
            if (threads.empty() && view_.server && view_.server_is_here && !std::exchange(looked, true)) {
                threads = waiting_threads(view_.server->pid);
            }
            const auto thread = threads.find(socket.inode);
            const auto peer = by_inode.find(socket.peer);
            const auto uid = peer == by_inode.end() ? std::nullopt : peer->second->uid;
            add({.port = 0,
                 .address = {},
                 .inode = socket.peer,
                 .uid = uid.value_or(kUnknownUser),
                 .quiet = std::nullopt,
                 .spoke_last = false,
                 .server_thread = thread == threads.end() ? 0 : thread->second,
                 .also = {}});
        }
    }

    void add(LocalEnd end) {
        auto pids = owners_of(end.inode);
        if (pids.empty()) {
            view_.of_unknown.push_back(std::move(end));
            return;
        }
        const int holder = eldest_of(pids);
        std::erase(pids, holder);
        end.also = std::move(pids);
        ends_[holder].push_back(std::move(end));
    }

    LocalView finish() {
        std::set<int> heirs;
        for (auto& [pid, ends] : ends_) {
            auto program = program_of(pid);
            if (!program) continue;  // it has ended since, and its connections with it
            for (auto& end : ends) {
                if (end.uid == kUnknownUser) end.uid = program->uid;
            }
            for (const auto& end : ends) heirs.insert(end.also.begin(), end.also.end());
            view_.holders.push_back({std::move(*program), std::move(ends)});
        }
        for (const int pid : heirs) {
            if (auto program = program_of(pid)) view_.heirs.push_back(std::move(*program));
        }
        return std::move(view_);
    }

    const ServerAddress& server_;
    std::vector<Ip> targets_;
    std::vector<Ip> own_;
    std::vector<TcpSocket> tcp_;
    std::vector<UnixSocket> unix_;
    SocketOwners owners_;
    std::optional<TcpSocket> listens_;           // at the address that was asked for
    std::vector<TcpSocket> listeners_;           // that one and the server's others
    std::vector<std::string> bound_;             // its Unix sockets, as the kernel has their paths
    std::map<int, std::vector<LocalEnd>> ends_;  // by pid
    LocalView view_;
};

}  // namespace

Result<LocalView> look_locally(const ServerAddress& server) {
    std::vector<Ip> targets;
    if (!server.host.empty()) {
        auto resolved = addresses_of(server.host);
        if (!resolved && server.socket.empty()) return std::unexpected(resolved.error());
        if (resolved) targets = std::move(*resolved);
    }
    return Look(server, std::move(targets)).run();
}

}  // namespace tidegate::watch
