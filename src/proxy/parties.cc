#include "proxy/parties.h"

#include <sys/ioctl.h>

#include <unordered_map>

#include "proxy/core.h"

namespace tidegate::proxy {
namespace {

constexpr Duration kRested = 200ms;  // a pause between two statements of the same work is shorter, as a rule

}  // namespace

std::vector<bool> who_rests(const Core& core, std::span<const Party> parties) {
    std::unordered_map<pid_t, std::size_t> by_process;
    std::unordered_map<std::string, std::size_t> by_address;
    for (std::size_t i = 0; i < parties.size(); ++i) {
        for (const pid_t process : parties[i].processes) by_process.emplace(process, i);
        for (const auto& address : parties[i].addresses) by_address.emplace(address, i);
    }
    std::vector<bool> found(parties.size(), false);
    std::vector<bool> busy(parties.size(), false);
    core.each_client([&](const ClientSession& client) {
        const net::Address& peer = client.peer();
        if (!peer.is_loopback() && by_address.empty()) return;
        std::size_t party = parties.size();
        if (peer.is_unix()) {
            if (const auto at = by_process.find(client.peer_pid()); at != by_process.end()) party = at->second;
        } else if (const auto at = by_address.find(peer.text()); at != by_address.end()) {
            party = at->second;
        }
        if (party == parties.size()) return;
        found[party] = true;
        int unread = 0;
        const bool spoke = ::ioctl(client.descriptor(), FIONREAD, &unread) != 0 || unread > 0;
        if (spoke || !client.rests() || core.loop.now() - client.since() < kRested) busy[party] = true;
    });
    for (std::size_t i = 0; i < parties.size(); ++i) found[i] = found[i] && !busy[i];
    return found;
}

}  // namespace tidegate::proxy
