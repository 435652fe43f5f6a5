// Words to values and back: durations, addresses, choices; and the name that somebody probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

namespace tidegate::config {

// "30s", "500ms", "2m", "1h", "1d", "1.5s"; a bare number is seconds.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string text_of(Duration duration);  // the largest unit that divides it: "90s", "2m", "500ms"

// Digits only, no sign, within 32 bits.
[[nodiscard]] std::optional<unsigned> parse_unsigned(std::string_view text);

// "127.0.0.1:6306", "[::1]:6306", "localhost:0". Both parts are needed.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] bool is_loopback(std::string_view host);

[[nodiscard]] std::string_view text_of(TlsMode mode);
[[nodiscard]] std::string_view text_of(PoolMode mode);
[[nodiscard]] std::string_view text_of(RsaMode mode);
[[nodiscard]] std::string_view text_of(LogFormat format);
[[nodiscard]] std::optional<TlsMode> parse_tls_mode(std::string_view text);
[[nodiscard]] std::optional<PoolMode> parse_pool_mode(std::string_view text);
[[nodiscard]] std::optional<RsaMode> parse_rsa_mode(std::string_view text);
[[nodiscard]] std::optional<LogFormat> parse_log_format(std::string_view text);
[[nodiscard]] bool is_log_level(std::string_view text);

[[nodiscard]] std::string_view text_of(Restart restart);
[[nodiscard]] std::optional<Restart> parse_restart(std::string_view text);

// Memory: "256M", "1G", "512K", "1048576"; nullopt: it is none, or it is 0.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string text_of_size(std::uint64_t bytes);  // "256.0 MB"

// 1 to 64 letters, digits, and . _ - but not at the start.
[[nodiscard]] bool is_plain_name(std::string_view text);

// Letters to insert, delete, replace or swap with their neighbour, to get from one word to the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidate that `word` is probably a slip of; empty: none is near enough.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

[[nodiscard]] std::string_view trimmed(std::string_view text);  // without white space at both ends

}  // namespace tidegate::config
