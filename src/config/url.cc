#include "config/url.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "config/values.h"

namespace tidegate::config {
namespace {

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

// nullopt: a % without two hexadecimal digits, or a zero byte.
std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const auto high = hex_digit(text[i + 1]);
        const auto low = hex_digit(text[i + 2]);
        if (!high || !low || (*high == 0 && *low == 0)) return std::nullopt;
        out.push_back(static_cast<char>(*high * 16 + *low));
        i += 2;
    }
    return out;
}

constexpr std::string_view kBadPercent =
    "the server's URL has a % that is not followed by two hexadecimal digits "
    "(a % itself is written %25)";
constexpr std::string_view kEncode = "; in a password, / is written %2F, ? is %3F, # is %23, @ is %40 and % is %25";

std::unexpected<Error> wrong(std::string_view what) {
    return fail(fmt::format("the server's URL {}", what));
}

// user[:password]
Result<void> parse_account(std::string_view text, ServerUrl& url) {
    const auto colon = text.find(':');
    auto user = decoded(text.substr(0, colon));
    if (!user) return fail(std::string(kBadPercent));
    if (user->empty()) return wrong("has an @ but no user before it");
    url.user = std::move(*user);
    if (colon == std::string_view::npos) return {};
    auto password = decoded(text.substr(colon + 1));
    if (!password) return fail(std::string(kBadPercent));
    url.password = Secret(std::string_view(*password));
    wipe(std::as_writable_bytes(std::span(password->data(), password->size())));
    return {};
}

// host[:port], [v6][:port]. `hint` is added when what was taken for a host may be the half of a password.
Result<void> parse_host(std::string_view text, std::string_view hint, ServerUrl& url) {
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return wrong("opens a bracket and does not close it");
        url.host = text.substr(1, close - 1);
        text.remove_prefix(close + 1);
        if (!text.empty() && text[0] != ':') return wrong("has something other than a port after its bracket");
        has_port = !text.empty();
        port = has_port ? text.substr(1) : text;
    } else {
        const auto colon = text.find(':');
        has_port = colon != std::string_view::npos;
        url.host = text.substr(0, colon);
        if (has_port) port = text.substr(colon + 1);
        if (port.contains(':')) return wrong(fmt::format("needs brackets around an IPv6 address{}", hint));
    }
    if (url.host.find_first_of(" \t%[]") != std::string::npos) return wrong(fmt::format("has no valid host{}", hint));
    if (!has_port) return {};
    const auto number = parse_unsigned(port);
    if (!number || *number == 0 || *number > 65535) {
        return wrong(fmt::format("needs a port between 1 and 65535 after the host{}", hint));
    }
    url.port = static_cast<std::uint16_t>(*number);
    return {};
}

// One name=value behind the question mark.
Result<void> parse_parameter(std::string_view text, ServerUrl& url) {
    static constexpr std::array<std::string_view, 3> kNames{"tls", "socket", "ca"};
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    auto value = decoded(equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1));
    if (!value) return fail(std::string(kBadPercent));
    if (name == "socket") {
        url.socket = std::move(*value);
        return url.socket.starts_with('/') ? Result<void>{} : wrong("needs an absolute path after socket=");
    }
    if (name == "ca") {
        url.ca = std::move(*value);
        return url.ca.empty() ? wrong("needs a file after ca=") : Result<void>{};
    }
    if (name == "tls") {
        url.tls = parse_tls_mode(*value);
        if (url.tls) return {};
        return wrong("has a tls= that is none of disabled, preferred, required, verify-ca, verify-identity");
    }
    const bool is_word =
        std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '-'; });
    if (!is_word || name.empty()) return wrong(fmt::format("has an unknown parameter{}", kEncode));
    const auto meant = nearest(name, kNames);
    if (!meant.empty()) return wrong(fmt::format("has no parameter `{}`; did you mean `{}`?", name, meant));
    return wrong(fmt::format("has no parameter `{}`; there are tls, socket and ca", name));
}

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view text) {
    ServerUrl url;
    if (text.starts_with("mysql://")) {
        text.remove_prefix(8);
    } else if (text.starts_with("mariadb://")) {
        text.remove_prefix(10);
    } else {
        return fail("a server is written mysql://user:password@host:port/schema; it must begin with mysql://");
    }
    if (text.contains('#')) return wrong(fmt::format("has a # in it{}", kEncode));

    const auto end = std::min(text.find_first_of("/?"), text.size());
    auto authority = text.substr(0, end);
    auto path = text.substr(end);
    std::string_view query;
    if (const auto mark = path.find('?'); mark != std::string_view::npos) {
        query = path.substr(mark + 1);
        path = path.substr(0, mark);
    }
    const auto hint = text.substr(end).contains('@') ? kEncode : std::string_view{};

    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        if (auto ok = parse_account(authority.substr(0, at), url); !ok) return std::unexpected(ok.error());
        authority.remove_prefix(at + 1);
    }
    if (auto ok = parse_host(authority, hint, url); !ok) return std::unexpected(ok.error());

    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.find_first_of("/@") != std::string_view::npos) {
        return wrong(fmt::format("has a / or an @ in its schema{}", kEncode));
    }
    auto schema = decoded(path);
    if (!schema) return fail(std::string(kBadPercent));
    url.schema = std::move(*schema);

    while (!query.empty()) {
        const auto next = std::min(query.find('&'), query.size());
        if (auto ok = parse_parameter(query.substr(0, next), url); !ok) return std::unexpected(ok.error());
        query.remove_prefix(std::min(next + 1, query.size()));
    }
    if (url.host.empty() && url.socket.empty()) return wrong("names no host");
    return url;
}

}  // namespace tidegate::config
