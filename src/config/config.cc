#include "config/config.h"

#include <fmt/core.h>

#include "config/network.h"
#include "config/values.h"

namespace tidegate::config {
namespace {

bool address_fits(std::string_view wanted, std::string_view address) {
    if (wanted == "local") return is_loopback(address);
    const auto network = Network::parse(wanted);
    return network && network->contains(address);
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t retry = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool ClassMatch::fits(std::string_view of_user, std::string_view of_address, std::string_view of_program) const {
    if (!user.empty() && !config::fits(user, of_user)) return false;
    if (!address.empty() && !address_fits(address, of_address)) return false;
    return program.empty() || config::fits(program, of_program);
}

std::string Endpoint::text() const {
    return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string Server::text() const {
    return socket.empty() ? Endpoint{host, port}.text() : socket;
}

const User* Config::user(std::string_view name) const {
    for (const auto& user : users) {
        if (user.name == name) return &user;
    }
    return nullptr;
}

const Class* Config::class_named(std::string_view name) const {
    for (const auto& c : classes) {
        if (c.name == name) return &c;
    }
    return nullptr;
}

const Fleet* Config::fleet(std::string_view name) const {
    for (const auto& fleet : fleets) {
        if (fleet.name == name) return &fleet;
    }
    return nullptr;
}

const Class* class_of(const Config& config, std::string_view user, std::string_view address, std::string_view program) {
    if (const User* known = config.user(user); known != nullptr && !known->class_name.empty()) {
        return config.class_named(known->class_name);
    }
    for (const auto& c : config.classes) {
        if (!c.match.empty() && c.match.fits(user, address, program)) return &c;
    }
    return nullptr;
}

}  // namespace tidegate::config
