#include "protocol/proxy_header.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tidegate::protocol {
namespace {

using namespace std::string_view_literals;

constexpr auto kLineBegins = "PROXY "sv;
constexpr auto kLineEnds = "\r\n"sv;
constexpr std::size_t kShortestLine = "PROXY UNKNOWN\r\n"sv.size();
constexpr std::size_t kShortestLineOfTcp = "PROXY TCP6 :: :: 1 1\r\n"sv.size();
constexpr std::size_t kLongestLine = 107;

constexpr auto kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixedPart = 16;  // of version 2: the signature, version and command, family, length

// The next word of a line whose words have one space between them; takes it and its space away.
std::string_view next_word(std::string_view& line) {
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    line = end == std::string_view::npos ? ""sv : line.substr(end + 1);
    return word;
}

std::optional<std::string> address(std::string_view text, int family) {
    std::string host(text);
    std::array<std::uint8_t, sizeof(in6_addr)> bytes{};
    const bool valid = !host.contains('\0') && ::inet_pton(family, host.c_str(), bytes.data()) == 1;
    return valid ? std::optional(std::move(host)) : std::nullopt;
}

std::optional<std::uint16_t> port_number(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(port) : std::nullopt;
}

// A whole line, without its beginning and end.
ProxyHeader parse_line(std::string_view line) {
    const std::string_view protocol = next_word(line);
    if (protocol == "UNKNOWN") return ProxyOwn{};  // what follows is to be ignored
    if (protocol != "TCP4" && protocol != "TCP6") return ProxyMalformed{"names a protocol that does not exist"};
    const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
    auto source = address(next_word(line), family);
    const auto destination = address(next_word(line), family);
    if (!source || !destination) return ProxyMalformed{"has an address that is none"};
    const auto source_port = port_number(next_word(line));
    const auto destination_port = port_number(line);
    if (!source_port || !destination_port) return ProxyMalformed{"has a port that is none"};
    return ProxyClient{.host = std::move(*source), .port = *source_port};
}

ProxyHeader parse_text(std::string_view in) {
    const std::string_view begun = in.substr(0, kLineBegins.size());
    if (!kLineBegins.starts_with(begun)) return ProxyMalformed{"begins like none"};
    const std::size_t end = in.find(kLineEnds);
    if (end != std::string_view::npos) {
        if (end + kLineEnds.size() != in.size()) return ProxyMalformed{"ends too early"};
        return parse_line(in.substr(kLineBegins.size(), end - kLineBegins.size()));
    }
    if (in.size() >= kLongestLine) return ProxyMalformed{"is a line without an end"};
    const std::size_t shortest = in.starts_with("PROXY TCP") ? kShortestLineOfTcp : kShortestLine;
    const std::size_t to_its_end = in.ends_with('\r') ? 1 : kLineEnds.size();
    const std::size_t missing = std::max(in.size() + to_its_end, shortest) - in.size();
    return ProxyIncomplete{std::min(missing, kLongestLine - in.size())};
}

template <class Ip>
ProxyHeader binary_client(int family, Bytes block) {
    constexpr std::size_t kSize = sizeof(Ip);
    if (block.size() < 2 * kSize + 4) return ProxyMalformed{"is too short for its addresses"};
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(family, block.data(), text.data(), text.size());
    const auto port = block.subspan(2 * kSize, 2);
    return ProxyClient{.host = text.data(),
                       .port = static_cast<std::uint16_t>(std::to_integer<unsigned>(port[0]) << 8 |
                                                          std::to_integer<unsigned>(port[1]))};
}

ProxyHeader parse_binary(Bytes in) {
    if (!kSignature.starts_with(as_text(in).substr(0, kSignature.size()))) return ProxyMalformed{"begins like none"};
    if (in.size() < kFixedPart) return ProxyIncomplete{kFixedPart - in.size()};
    const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(in[i]); };
    const unsigned version = at(12) >> 4;
    const unsigned command = at(12) & 0xF;
    const unsigned family = at(13) >> 4;
    const unsigned transport = at(13) & 0xF;
    if (version != 2 || command > 1) return ProxyMalformed{"is of a version or command that does not exist"};
    const std::size_t size = kFixedPart + (at(14) << 8 | at(15));
    if (in.size() < size) return ProxyIncomplete{size - in.size()};
    if (in.size() > size) return ProxyMalformed{"ends too early"};
    if (command == 0) return ProxyOwn{};
    if (family > 3 || transport > 2) return ProxyMalformed{"is of a family that does not exist"};
    const Bytes block = in.subspan(kFixedPart);  // the addresses, and further facts that nobody here asks for
    constexpr unsigned kStream = 1;
    if (transport == kStream && family == 1) return binary_client<in_addr>(AF_INET, block);
    if (transport == kStream && family == 2) return binary_client<in6_addr>(AF_INET6, block);
    return ProxyOwn{};
}

}  // namespace

ProxyHeader parse_proxy_header(Bytes in) {
    if (in.empty()) return ProxyIncomplete{kShortestLine};  // which is less than version 2 has at least
    return in[0] == std::byte{'\r'} ? parse_binary(in) : parse_text(as_text(in));
}

bool resembles_proxy_header(Bytes in) {
    const std::string_view text = as_text(in);
    return text.size() >= 4 &&
           (kLineBegins.starts_with(text.substr(0, 6)) || kSignature.starts_with(text.substr(0, 12)));
}

}  // namespace tidegate::protocol
