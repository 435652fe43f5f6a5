// Holds off addresses that keep failing to log in, and bounds how many logins are proved at the server at once. IPv4
// addresses count alone, IPv6 by their /64. Loopback and Unix sockets are never held off: a local program with a wrong
// password must not lock out its neighbours. Memory is bounded: the address that failed longest ago goes first.
// Belongs to the loop's thread; time is handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/intrusive_list.h"

namespace tidegate::proxy {

struct HoldOffLimits {
    unsigned failures = 10;  // within `window`; 0: nobody is held off
    Duration window = 1min;
    Duration first = 30s;  // doubled every time, up to `longest`
    Duration longest = 10min;
    std::size_t addresses = 10'000;
    unsigned proving_at_once = 8;
    unsigned proving_per_address = 4;
};

class HoldOff {
public:
    explicit HoldOff(HoldOffLimits limits = {}) : limits_(limits) {}

    void set_limits(HoldOffLimits limits) { limits_ = limits; }

    // Hosts are numeric addresses as text; anything else ("localhost" for a Unix socket) is local.
    // How long this host has still to wait; zero for one that may log in.
    [[nodiscard]] Duration wait(std::string_view host, TimePoint now) const;
    void failed(std::string_view host, TimePoint now);
    void succeeded(std::string_view host);
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

    // Leave to prove one login at the server; gives its place back when it is destroyed. Must not outlive the HoldOff.
    class Proving {
    public:
        Proving(Proving&& other) noexcept;
        Proving& operator=(Proving&&) = delete;
        ~Proving();

    private:
        friend class HoldOff;
        Proving(HoldOff& owner, std::uint64_t key, bool counted) : owner_(&owner), key_(key), counted_(counted) {}
        HoldOff* owner_;
        std::uint64_t key_;
        bool counted_;
    };
    // Nothing if too many are at it: try again a little later, and look first whether somebody else has proved the
    // same account by then (AccountBook::is_proved).
    [[nodiscard]] std::optional<Proving> begin_proving(std::string_view host);
    [[nodiscard]] unsigned proving() const { return proving_; }

private:
    struct Entry : ListNode<> {
        std::uint64_t key = 0;
        unsigned failures = 0;
        unsigned strikes = 0;  // how often it has been held off
        TimePoint window_began{};
        TimePoint last_failure{};
        TimePoint until{};
    };

    HoldOffLimits limits_;
    std::unordered_map<std::uint64_t, Entry> entries_;
    IntrusiveList<Entry> by_last_failure_;  // the oldest in front
    std::unordered_map<std::uint64_t, unsigned> proving_by_address_;
    unsigned proving_ = 0;
};

}  // namespace tidegate::proxy
