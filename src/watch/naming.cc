// name_programs(), mark_gates(): join what the server says of its connections with what this host knows of its own
// ends.
#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "base/letters.h"
#include "watch/ip.h"
#include "watch/local.h"

namespace tidegate::watch {
namespace {

constexpr std::array<std::string_view, 6> kLoopbackNames{"localhost",  "localhost.localdomain", "localhost4",
                                                         "localhost6", "ip6-localhost",         "ip6-loopback"};

struct End {
    const LocalHolder* holder;
    const LocalEnd* end;
    bool taken = false;
};

bool is_of(const End& end, int pid) {
    return end.holder->program.pid == pid || std::ranges::find(end.end->also, pid) != end.end->also.end();
}

// "web1", "web1.example.org" for a host that calls itself one of them.
bool names_this_host(std::string_view name, std::string_view host_name) {
    const auto label = [](std::string_view text) { return text.substr(0, text.find('.')); };
    if (host_name.empty() || !same_letters(label(name), label(host_name))) return false;
    const bool both_whole = name.contains('.') && host_name.contains('.');
    return !both_whole || same_letters(name, host_name);
}

// Whether the host that the server names may be the address of that end: the same address, a loopback one for another,
// or a name of this host.
bool may_be(const std::string& host, const LocalEnd& end, const LocalView& local) {
    const auto own = Ip::parse(end.address);
    if (!own) return false;
    if (const auto named = Ip::parse(host)) return *named == *own || (named->is_loopback() && own->is_loopback());
    if (own->is_loopback() && std::ranges::find(kLoopbackNames, host) != kLoopbackNames.end()) return true;
    return names_this_host(host, local.host_name);
}

class Naming {
public:
    Naming(std::vector<Connection>& connections, const LocalView& local) : connections_(connections), local_(local) {
        for (const auto& holder : local.holders) {
            for (const auto& end : holder.ends) {
                if (end.port == 0) {
                    unix_.push_back({&holder, &end});
                } else {
                    tcp_.emplace(end.port, End{&holder, &end});
                }
            }
        }
    }

    void run() {
        for (auto& connection : connections_) {
            if (connection.port != 0) by_port(connection);
        }
        for (auto& connection : connections_) {
            if (is_over_socket(connection)) by_thread(connection);
        }
        for (auto& connection : connections_) {
            if (is_over_socket(connection)) by_pid(connection);
        }
        by_elimination();
    }

private:
    void by_port(Connection& connection) {
        const auto [from, to] = tcp_.equal_range(connection.port);
        for (auto at = from; at != to; ++at) {
            const End& end = at->second;
            // A server on the other side of a NAT names another address: then port and pid together are enough.
            const bool by_pid = connection.pid && is_of(end, *connection.pid);
            if (!by_pid && !may_be(connection.host, *end.end, local_)) continue;
            connection.local = end.holder->program;
            return;
        }
    }

    [[nodiscard]] bool is_over_socket(const Connection& connection) const {
        if (!local_.server_is_here || connection.port != 0 || connection.local) return false;
        if (connection.kind == Kind::system || connection.kind == Kind::event_scheduler) return false;
        return connection.host == "localhost";
    }

    void by_thread(Connection& connection) {
        const auto fits = [&](const End& end) {
            return connection.server_thread != 0 && end.end->server_thread == connection.server_thread;
        };
        take(connection, std::ranges::find_if(unix_, fits));
    }

    void by_pid(Connection& connection) {
        const auto pid = connection.kind == Kind::own && !connection.pid ? local_.self : connection.pid.value_or(0);
        const auto fits = [&](const End& end) { return pid != 0 && !end.taken && is_of(end, pid); };
        take(connection, std::ranges::find_if(unix_, fits));
    }

    void take(Connection& connection, std::vector<End>::iterator at) {
        if (at == unix_.end()) return;
        at->taken = true;
        connection.local = at->holder->program;
    }

    // Sound only where every connection and every end that is left is seen, and the ends are of one program.
    void by_elimination() {
        std::erase_if(unix_, [](const End& end) { return end.taken; });
        const bool hidden = std::ranges::any_of(local_.of_unknown, [](const LocalEnd& end) { return end.port == 0; });
        if (unix_.empty() || hidden) return;
        std::vector<Connection*> left;
        for (auto& connection : connections_) {
            if (is_over_socket(connection)) left.push_back(&connection);
        }
        auto program = unix_.front().holder->program;
        for (const auto& end : unix_) {
            const auto& other = end.holder->program;
            if (other.name != program.name || other.account != program.account) return;
            if (std::ranges::find(program.one_of, other.pid) == program.one_of.end()) {
                program.one_of.push_back(other.pid);
            }
        }
        if (left.size() > unix_.size()) return;
        if (program.one_of.size() == 1) {
            program.one_of.clear();
        } else {
            generalise(program);
        }
        for (auto* connection : left) connection->local = program;
    }

    // What holds for each of the processes.
    void generalise(Program& program) const {
        std::ranges::sort(program.one_of);
        program.pid = 0;
        program.start_tick = 0;
        program.started.reset();
        for (const auto& end : unix_) {
            const auto& other = end.holder->program;
            if (other.parent != program.parent) program.parent = 0;
            if (other.command != program.command) program.command = program.name;
            if (other.script != program.script) program.script.clear();
            if (other.folder != program.folder) program.folder.clear();
        }
    }

    std::vector<Connection>& connections_;
    const LocalView& local_;
    std::multimap<std::uint16_t, End> tcp_;
    std::vector<End> unix_;
};

}  // namespace

void name_programs(std::vector<Connection>& connections, const LocalView& local) {
    Naming(connections, local).run();
}

void mark_gates(std::vector<Connection>& connections, std::span<const std::uint32_t> own) {
    for (auto& connection : connections) {
        const bool by_word = std::ranges::find(own, connection.id) != own.end();
        const bool by_program = connection.local && connection.local->name == "tidegate serve";
        if (connection.kind == Kind::client && (by_word || by_program)) connection.kind = Kind::gate;
    }
}

}  // namespace tidegate::watch
