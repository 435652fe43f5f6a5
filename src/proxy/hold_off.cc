#include "proxy/hold_off.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tidegate::proxy {
namespace {

// What is counted together: an IPv4 address, or an IPv6 network of 64 bits. Nothing for local peers. No global IPv6
// network begins with 32 zero bits, so that the two do not meet.
std::optional<std::uint64_t> key_of(std::string_view host) {
    const std::string text(host.substr(0, host.find('%')));  // without an IPv6 scope
    in_addr four{};
    if (inet_pton(AF_INET, text.c_str(), &four) == 1) {
        const std::uint32_t address = ntohl(four.s_addr);
        return (address >> 24) == 127 ? std::nullopt : std::optional<std::uint64_t>(address);
    }
    in6_addr six{};
    if (inet_pton(AF_INET6, text.c_str(), &six) != 1 || IN6_IS_ADDR_LOOPBACK(&six)) return std::nullopt;
    std::uint64_t key = 0;
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        if (six.s6_addr[12] == 127) return std::nullopt;
        for (std::size_t i = 12; i < 16; ++i) key = key << 8 | six.s6_addr[i];
    } else {
        for (std::size_t i = 0; i < 8; ++i) key = key << 8 | six.s6_addr[i];
    }
    return key;
}

}  // namespace

Duration HoldOff::wait(std::string_view host, TimePoint now) const {
    if (entries_.empty()) return Duration::zero();
    const auto key = key_of(host);
    if (!key) return Duration::zero();
    const auto it = entries_.find(*key);
    return it == entries_.end() ? Duration::zero() : std::max(it->second.until - now, Duration::zero());
}

void HoldOff::failed(std::string_view host, TimePoint now) {
    const auto key = key_of(host);
    if (!key || limits_.failures == 0) return;
    if (!entries_.contains(*key) && entries_.size() >= std::max<std::size_t>(limits_.addresses, 1)) {
        entries_.erase(by_last_failure_.front().key);
    }
    Entry& entry = entries_[*key];
    entry.key = *key;
    // Quiet for as long as the longest hold-off: a new start.
    if (now - entry.last_failure > limits_.longest + limits_.window) entry.strikes = 0;
    if (entry.failures == 0 || now - entry.window_began > limits_.window) {
        entry.failures = 0;
        entry.window_began = now;
    }
    entry.last_failure = now;
    if (entry.linked()) entry.unlink();
    by_last_failure_.push_back(entry);

    if (++entry.failures < limits_.failures) return;
    Duration delay = limits_.first;
    for (unsigned i = 0; i < entry.strikes && delay < limits_.longest; ++i) delay *= 2;
    entry.until = now + std::min(delay, limits_.longest);
    entry.failures = 0;
    ++entry.strikes;
}

void HoldOff::succeeded(std::string_view host) {
    if (entries_.empty()) return;
    if (const auto key = key_of(host)) entries_.erase(*key);
}

std::optional<HoldOff::Proving> HoldOff::begin_proving(std::string_view host) {
    if (proving_ >= limits_.proving_at_once) return std::nullopt;
    const auto key = key_of(host);
    if (key) {
        unsigned& here = proving_by_address_[*key];
        if (here >= std::max(limits_.proving_per_address, 1U)) return std::nullopt;
        ++here;
    }
    ++proving_;
    return Proving(*this, key.value_or(0), key.has_value());
}

HoldOff::Proving::Proving(Proving&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), key_(other.key_), counted_(other.counted_) {}

HoldOff::Proving::~Proving() {
    if (owner_ == nullptr) return;
    --owner_->proving_;
    if (!counted_) return;
    const auto it = owner_->proving_by_address_.find(key_);
    if (--it->second == 0) owner_->proving_by_address_.erase(it);
}

}  // namespace tidegate::proxy
