#include "config/values.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace tidegate::config {
namespace {

template <class E, std::size_t N>
using Names = std::array<std::pair<std::string_view, E>, N>;

constexpr Names<TlsMode, 5> kTlsModes{{{"disabled", TlsMode::disabled},
                                       {"preferred", TlsMode::preferred},
                                       {"required", TlsMode::required},
                                       {"verify-ca", TlsMode::verify_ca},
                                       {"verify-identity", TlsMode::verify_identity}}};
constexpr Names<PoolMode, 2> kPoolModes{{{"transaction", PoolMode::transaction}, {"session", PoolMode::session}}};
constexpr Names<RsaMode, 3> kRsaModes{
    {{"never", RsaMode::never}, {"loopback", RsaMode::loopback}, {"always", RsaMode::always}}};
constexpr Names<LogFormat, 2> kLogFormats{{{"text", LogFormat::text}, {"json", LogFormat::json}}};
constexpr Names<Restart, 3> kRestarts{
    {{"always", Restart::always}, {"on-failure", Restart::on_failure}, {"never", Restart::never}}};

template <class E, std::size_t N>
std::string_view name_in(const Names<E, N>& names, E value) {
    for (const auto& [name, v] : names) {
        if (v == value) return name;
    }
    return "";
}

template <class E, std::size_t N>
std::optional<E> value_in(const Names<E, N>& names, std::string_view text) {
    for (const auto& [name, v] : names) {
        if (name == text) return v;
    }
    return std::nullopt;
}

struct Unit {
    std::string_view name;
    double seconds;
};
constexpr std::array<Unit, 6> kUnits{{{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
constexpr double kLongest = 3650.0 * 86400;  // ten years: far from what a Duration holds

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    double number = 0;
    const auto [rest, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
    const auto unit = trimmed({rest, static_cast<std::size_t>(text.data() + text.size() - rest)});
    for (const auto& u : kUnits) {
        if (u.name != unit) continue;
        const double seconds = number * u.seconds;
        if (seconds > kLongest) return std::nullopt;
        return std::chrono::microseconds(std::llround(seconds * 1e6));
    }
    return std::nullopt;
}

std::string text_of(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (ms != 0 && ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
    if (ms != 0 && ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
    if (ms % 1000 == 0) return fmt::format("{}s", ms / 1000);
    return fmt::format("{}ms", ms);
}

std::optional<unsigned> parse_unsigned(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return fail("needs a host and a port, such as 127.0.0.1:6306");
    auto host = text.substr(0, colon);
    const auto port = parse_unsigned(text.substr(colon + 1));
    if (!port || *port > std::numeric_limits<std::uint16_t>::max()) {
        return fail("needs a port between 0 and 65535 after the last colon");
    }
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.contains(':')) {
        return fail("needs brackets around an IPv6 address, such as [::1]:6306");
    }
    if (host.empty()) return fail("needs a host before the colon; 0.0.0.0 or [::] stands for every address");
    if (host.find_first_of(" \t[]/@") != std::string_view::npos) return fail("has a host that is not one");
    return Endpoint{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool is_loopback(std::string_view host) {
    const std::string name(host);
    in_addr v4{};
    if (inet_pton(AF_INET, name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    return name == "localhost" || name == "::1";
}

std::string_view text_of(TlsMode mode) {
    return name_in(kTlsModes, mode);
}
std::string_view text_of(PoolMode mode) {
    return name_in(kPoolModes, mode);
}
std::string_view text_of(RsaMode mode) {
    return name_in(kRsaModes, mode);
}
std::string_view text_of(LogFormat format) {
    return name_in(kLogFormats, format);
}
std::optional<TlsMode> parse_tls_mode(std::string_view text) {
    return value_in(kTlsModes, text);
}
std::optional<PoolMode> parse_pool_mode(std::string_view text) {
    return value_in(kPoolModes, text);
}
std::optional<RsaMode> parse_rsa_mode(std::string_view text) {
    return value_in(kRsaModes, text);
}
std::optional<LogFormat> parse_log_format(std::string_view text) {
    return value_in(kLogFormats, text);
}

bool is_log_level(std::string_view text) {
    constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "off"};
    return std::ranges::find(kLevels, text) != kLevels.end();
}

std::string_view text_of(Restart restart) {
    return name_in(kRestarts, restart);
}
std::optional<Restart> parse_restart(std::string_view text) {
    return value_in(kRestarts, text);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number == 0) return std::nullopt;
    const std::string_view unit(stop, static_cast<std::size_t>(text.data() + text.size() - stop));
    unsigned shift = 0;
    if (unit == "K" || unit == "k" || unit == "KB")
        shift = 10;
    else if (unit == "M" || unit == "m" || unit == "MB")
        shift = 20;
    else if (unit == "G" || unit == "g" || unit == "GB")
        shift = 30;
    else if (!unit.empty())
        return std::nullopt;
    constexpr unsigned kMostBits = 60;
    if (number >> (kMostBits - shift) != 0) return std::nullopt;
    return number << shift;
}

std::string text_of_size(std::uint64_t bytes) {
    constexpr double kMega = 1 << 20;
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / kMega);
}

bool is_plain_name(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits) && text[0] != '.' && text[0] != '-';
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.size()][b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t kLongestWord = 64;  // nobody slips into more, and the distance costs its square
    if (word.size() > kLongestWord) return {};
    constexpr std::size_t kWorthCompleting = 4;
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto candidate : candidates) {
        const auto distance = edit_distance(word, candidate);
        if (distance < best_distance && distance < candidate.size()) {
            best = candidate;
            best_distance = distance;
        }
    }
    for (const auto candidate : candidates) {
        if (best.empty() && word.size() >= kWorthCompleting && candidate.starts_with(word)) best = candidate;
    }
    return best;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace tidegate::config
