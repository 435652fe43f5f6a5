#include "cli/demo/gate.h"

#include <fmt/core.h>
#include <mysql.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/demo/interrupt.h"

namespace tidegate::demo {
namespace {

using namespace std::chrono_literals;

std::string configuration(const PrivateServer& server, std::uint16_t port, unsigned connections, unsigned clients) {
    constexpr unsigned kFewest = 1000;
    return fmt::format(
        "[server]\nurl = \"mysql://monitor:{}@127.0.0.1:{}?tls=disabled\"\n"
        "[budget]\nmax_connections = {}\n"
        "[listen]\naddress = \"127.0.0.1:{}\"\nmax_clients = {}\n"
        "[pool]\nmax_waiting = {}\n"
        "[api]\naddress = \"off\"\n"
        "[[user]]\nname = \"shop\"\npassword = \"{}\"\n",
        server.password(), server.port(), connections, port, std::max(clients + 10, kFewest),
        std::max(clients + 10, kFewest), server.password());
}

bool serves(const PrivateServer& server, std::uint16_t port) {
    MYSQL* handle = mysql_init(nullptr);
    const unsigned limit = 5;
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &limit);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &limit);
    const bool fine = mysql_real_connect(handle, "127.0.0.1", "shop", server.password().c_str(), "shop", port, nullptr,
                                         0) != nullptr &&
                      mysql_query(handle, "DO 1") == 0;
    mysql_close(handle);
    return fine;
}

std::string own_program() {
    std::array<char, 4096> path{};
    const auto size = readlink("/proc/self/exe", path.data(), path.size());
    return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string("/proc/self/exe");
}

}  // namespace

Result<RunningGate> start_gate(const Workplace& workplace, const PrivateServer& server, unsigned connections,
                               unsigned clients) {
    RunningGate gate;
    constexpr int kTries = 3;  // somebody may take the port between the choice and the start
    for (int i = 0; i < kTries && interrupted() == 0; ++i) {
        gate.port = free_port();
        const auto file = workplace.file(fmt::format("tidegate-{}.toml", i));
        if (auto written = write_file(file, configuration(server, gate.port, connections, clients)); !written) {
            return std::unexpected(written.error());
        }
        auto child =
            Child::start({{own_program(), "serve", "-c", file}, workplace.folder(), "", workplace.file("gate.log")});
        if (!child) return std::unexpected(child.error());
        gate.child = std::move(*child);
        const bool done = wait_for(20s, [&] { return !gate.child.running() || serves(server, gate.port); });
        if (done && gate.child.running()) return gate;
        if (gate.child.running()) break;
    }
    return fail("the gate did not serve:\n" + gate.child.last_words());
}

}  // namespace tidegate::demo
