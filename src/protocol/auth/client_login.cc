#include "protocol/auth/client_login.h"

#include <fmt/format.h>
#include <algorithm>

#include "protocol/auth/caching_sha2.h"
#include "protocol/auth/ed25519.h"
#include "protocol/auth/plugins.h"
#include "protocol/auth/rsa.h"

namespace tidegate::protocol::auth {
namespace {

constexpr std::byte packet_ok{0x00};
constexpr std::byte packet_switch{0xFE};
constexpr std::byte packet_error{0xFF};
constexpr int max_rounds = 8;  // packets of the server's in one login; more is a server that plays games

Failed failed(std::string message) {
    return Failed{.error = {.code = 2059, .sqlstate = "HY000", .message = std::move(message)}, .from_server = false};
}

std::vector<std::byte> copy(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> clear_payload(const Secret& password) {
    std::vector<std::byte> out = copy(password.bytes());
    out.push_back(std::byte{0});
    return out;
}

bool speaks(std::string_view plugin) {
    return plugin == native_plugin || plugin == caching_sha2_plugin || plugin == sha256_plugin ||
           plugin == ed25519_plugin || plugin == parsec_plugin;
}

// Overwrites what was sent: it may hold the password.
void clear(std::vector<std::byte>& bytes) {
    wipe(bytes);
    bytes.clear();
}

}  // namespace

ClientLogin::ClientLogin(CredentialPtr credential, ServerLink link, const ParsecScramble& parsec_scramble)
    : credential_(std::move(credential)), link_(link), parsec_scramble_(parsec_scramble) {}

ClientLogin::~ClientLogin() {
    clear(response_);
}

void ClientLogin::start(std::string_view greeting_plugin, Bytes nonce) {
    step_ = Step::answered;
    rounds_ = 0;
    fast_ok_ = false;
    password_was_used_ = false;
    nonce_ = copy(trim_nonce(nonce));
    clear(response_);

    // The answer to the greeting is a guess at the account's plug-in, which the server corrects with a switch. So it is
    // never the password itself, and a plug-in that we do not speak, or not with this credential, is not named.
    const bool native = greeting_plugin.empty() || greeting_plugin == native_plugin || !has_password();
    plugin_ = native ? native_plugin : caching_sha2_plugin;
    if (credential_->bytes.empty() || nonce_.size() < std::tuple_size_v<Nonce>) return;
    if (native) {
        response_ = copy(native_response(stage1_of(*credential_), nonce_));
    } else {
        response_ = copy(sha2_response(credential_->bytes, nonce_));
    }
}

ClientAction ClientLogin::feed(Bytes payload) {
    if (payload.empty()) return failed("the server sent an empty packet during login");
    if (++rounds_ > max_rounds) return failed("the server does not come to an end with the login");
    switch (payload[0]) {
        case packet_ok:
            // Over TCP no plug-in goes by the operating system's user; over a unix socket only the fast path's "yes" is
            // a plug-in's own word that the password is right.
            password_was_used_ = !link_.unix_socket || fast_ok_;
            return Done{copy(payload)};
        case packet_error:
            return Failed{.error = parse_error_packet(payload), .from_server = true};
        case packet_switch:
            return on_switch(payload.subspan(1));
        default:
            return on_more_data(payload);
    }
}

ClientAction ClientLogin::on_switch(Bytes payload) {
    if (payload.empty()) {
        return failed(
            "the server asks for mysql_old_password, which is not safe to use; give the account a password hash "
            "of another plug-in");
    }
    const auto end = std::ranges::find(payload, std::byte{0});
    if (end == payload.end()) return failed("the server's auth switch request is malformed");
    const auto name = static_cast<std::size_t>(end - payload.begin());
    return answer(as_text(payload.first(name)), payload.subspan(name + 1));
}

ClientAction ClientLogin::answer(std::string_view plugin, Bytes nonce) {
    plugin_ = plugin;
    fast_ok_ = false;
    step_ = Step::answered;
    const bool long_nonce = plugin == ed25519_plugin || plugin == parsec_plugin;
    const std::size_t nonce_size = long_nonce ? ed25519_nonce_size : std::tuple_size_v<Nonce>;
    nonce_ = copy(trim_nonce(nonce, nonce_size));
    const Secret& secret = credential_->bytes;

    if (plugin != native_plugin && !has_password()) {
        return failed(
            fmt::format("the server asks for {}, but only a hash for mysql_native_password is known", plugin));
    }
    if (plugin == clear_plugin) {
        if (!link_.tls) return failed("the server asks for the password as it is, which is sent over TLS only");
        return Send{clear_payload(secret)};
    }
    if (!speaks(plugin)) {
        return failed(
            fmt::format("the server asks for the plug-in '{}', which takes no password that could be checked or is not "
                        "supported; use "
                        "mysql_native_password, caching_sha2_password, ed25519 or parsec for this account",
                        plugin));
    }
    if (nonce_.size() != nonce_size) return failed("the server's nonce has a wrong length");
    if (plugin == parsec_plugin) {
        step_ = Step::wants_salt;
        return Send{};
    }
    if (plugin == ed25519_plugin) return Send{copy(ed25519_sign(secret, nonce_))};
    if (plugin == native_plugin) {
        return secret.empty() ? Send{} : Send{copy(native_response(stage1_of(*credential_), nonce_))};
    }
    if (secret.empty()) return Send{{std::byte{0}}};
    if (plugin == sha256_plugin) return send_password(sha256_request_key);
    return Send{copy(sha2_response(secret, nonce_))};
}

ClientAction ClientLogin::on_more_data(Bytes payload) {
    if (step_ == Step::wants_salt) return on_parsec_salt(payload);
    if (payload[0] != more_data) return failed("the server sent an unknown packet during login");
    const Bytes data = payload.subspan(1);
    if (step_ == Step::wants_key) return on_public_key(data);
    if (plugin_ == caching_sha2_plugin && data.size() == 1) {
        if (data[0] == sha2_fast_ok) {
            fast_ok_ = true;
            return ReadNext{};
        }
        if (data[0] == sha2_full_authentication) return send_password(sha2_request_key);
    }
    return failed("the server sent unknown data for the plug-in during login");
}

ClientAction ClientLogin::send_password(std::byte key_request) {
    if (!has_password()) return failed("the server asks for the password, of which only a hash is known");
    if (may_send_clear()) return Send{clear_payload(credential_->bytes)};
    if (!link_.rsa_allowed) {
        return failed(
            "the server asks for the password, which is sent over TLS or a unix socket only: use TLS to the server");
    }
    step_ = Step::wants_key;
    return Send{{key_request}};
}

ClientAction ClientLogin::on_public_key(Bytes pem) {
    auto encrypted = rsa_encrypt(credential_->bytes, nonce_, as_text(pem));
    if (!encrypted) return failed(encrypted.error().message);
    step_ = Step::answered;
    return Send{std::move(*encrypted)};
}

ClientAction ClientLogin::on_parsec_salt(Bytes payload) {
    if (payload[0] == more_data) payload = payload.subspan(1);
    const auto response = parsec_response(credential_->bytes, nonce_, payload, parsec_scramble_);
    if (!response) return failed(response.error().message);
    step_ = Step::answered;
    return Send{copy(*response)};
}

CredentialPtr decoy_credential(Bytes random) {
    return password_credential(Secret(random));
}

Error parse_error_packet(Bytes payload) {
    if (payload.size() < 3 || payload[0] != packet_error) {
        return {.code = 2027, .sqlstate = "HY000", .message = "the server sent a malformed error packet"};
    }
    Error error;
    error.code =
        static_cast<std::uint16_t>(std::to_integer<unsigned>(payload[1]) | std::to_integer<unsigned>(payload[2]) << 8);
    std::string_view text = as_text(payload.subspan(3));
    // Before the client's capabilities are known (1040, 1129, 1130) a server leaves the state out.
    if (text.size() >= 6 && text[0] == '#') {
        error.sqlstate = text.substr(1, 5);
        text.remove_prefix(6);
    }
    error.message = text;
    return error;
}

}  // namespace tidegate::protocol::auth
