#include "protocol/auth/server_login.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/auth/caching_sha2.h"

namespace tidegate::protocol::auth {
namespace {

constexpr std::uint16_t er_access_denied = 1045;
constexpr std::uint16_t er_access_denied_no_password = 1698;
constexpr std::uint16_t er_not_supported_auth_mode = 1251;
constexpr std::size_t max_password = 1024;

std::vector<std::byte> bytes_of(std::initializer_list<std::byte> bytes) {
    return bytes;
}

// Up to the first zero byte, as servers read it.
Bytes until_zero(Bytes payload) {
    const auto zero = std::ranges::find(payload, std::byte{0});
    return payload.first(static_cast<std::size_t>(zero - payload.begin()));
}

// How plug-ins say "no password": nothing, or a single zero byte.
bool says_empty(Bytes response) {
    return until_zero(response).empty() && response.size() <= 1;
}

}  // namespace

Error access_denied(std::string_view user, std::string_view host, bool with_password) {
    return {.code = er_access_denied,
            .sqlstate = "28000",
            .message = fmt::format("Access denied for user '{}'@'{}' (using password: {})", user, host,
                                   with_password ? "YES" : "NO")};
}

ServerLogin::ServerLogin(ClientLink link) : link_(std::move(link)) {}
ServerLogin::~ServerLogin() = default;

bool ServerLogin::rsa_allowed() const {
    return link_.rsa != nullptr && (secure() || link_.loopback || link_.rsa_on_any_link);
}

ServerAction ServerLogin::start(std::string_view user, std::string_view plugin, Bytes response, AccountView account) {
    user_ = user;
    account_ = std::move(account);
    can_switch_ = !plugin.empty();
    plugin_ = can_switch_ ? plugin : native_plugin;

    // A client whose plug-in is not the greeting's may have found no nonce for it there, and answered nothing yet.
    const bool answered = !response.empty() || plugin_ == link_.greeting_plugin || !can_switch_;
    const bool spoken =
        plugin_ == native_plugin || plugin_ == caching_sha2_plugin || (plugin_ == clear_plugin && link_.tls);
    if (spoken && answered) return evaluate(response);
    const bool native = !can_ask_for_password() && plugin_ != caching_sha2_plugin &&
                        (plugin_ == native_plugin || link_.native_hashes_in_use);
    return switch_to(native ? native_plugin : caching_sha2_plugin);
}

ServerAction ServerLogin::resume(Bytes payload) {
    switch (step_) {
        case Step::wants_answer:
            return evaluate(payload);
        case Step::wants_password:
            return on_password_packet(payload);
        case Step::wants_encrypted:
            return on_encrypted(payload);
        case Step::start:
        case Step::proving:
        case Step::over:
            break;
    }
    return refuse();
}

ServerAction ServerLogin::evaluate(Bytes response) {
    fast_path_ = false;
    if (says_empty(response)) return have_password(Secret());
    if (plugin_ == native_plugin) return evaluate_native(response);
    if (plugin_ == caching_sha2_plugin) return evaluate_sha2(response);
    return have_password(Secret(until_zero(response)));  // mysql_clear_password, over TLS
}

ServerAction ServerLogin::evaluate_native(Bytes response) {
    if (account_.credential != nullptr && !account_.credential->bytes.empty()) {
        const NativeStage2 stage2 = native_stage2(stage1_of(*account_.credential));
        if (native_verify(response, link_.nonce, stage2)) {
            native_ = stage2;
            return matched(account_.credential, true);
        }
    }
    if (account_.hash != nullptr) {
        if (const auto* stage2 = std::get_if<NativeStage2>(account_.hash.get())) {
            if (auto stage1 = native_verify(response, link_.nonce, *stage2)) {
                native_ = *stage2;
                return matched(make_credential(Credential::Kind::native_stage1, std::move(*stage1)), false);
            }
        }
    }
    return ask_for_password();
}

ServerAction ServerLogin::evaluate_sha2(Bytes response) {
    const CredentialPtr& known = account_.credential;
    if (known != nullptr && known->kind == Credential::Kind::password && !known->bytes.empty() &&
        sha2_verify(response, link_.nonce, sha2_verifier(known->bytes))) {
        fast_path_ = true;
        return matched(known, true);
    }
    return ask_for_password();
}

ServerAction ServerLogin::ask_for_password() {
    if (can_ask_for_password()) {
        if (plugin_ == caching_sha2_plugin) {
            step_ = Step::wants_password;
            return SendAndRead{bytes_of({more_data, sha2_full_authentication})};
        }
        if (can_switch_) return switch_to(caching_sha2_plugin);
    } else if (can_switch_ && plugin_ != native_plugin && link_.native_hashes_in_use) {
        return switch_to(native_plugin);
    }
    return refuse();
}

ServerAction ServerLogin::switch_to(std::string_view plugin) {
    if (switched_) return refuse();  // some clients take only one
    switched_ = true;
    plugin_ = plugin;
    step_ = Step::wants_answer;
    std::vector<std::byte> payload{std::byte{0xFE}};
    const Bytes name = as_bytes(plugin);
    payload.insert(payload.end(), name.begin(), name.end());
    payload.push_back(std::byte{0});
    payload.insert(payload.end(), link_.nonce.begin(), link_.nonce.end());
    payload.push_back(std::byte{0});
    return SendAndRead{std::move(payload)};
}

ServerAction ServerLogin::on_password_packet(Bytes payload) {
    // A password as it is ends in a zero byte, so a lone 2 is a client that asks for the key, even over TLS.
    if (payload.size() == 1 && payload[0] == sha2_request_key && rsa_allowed()) {
        const std::string& pem = link_.rsa->public_pem();
        std::vector<std::byte> key{more_data};
        key.insert(key.end(), as_bytes(pem).begin(), as_bytes(pem).end());
        step_ = Step::wants_encrypted;
        return SendAndRead{std::move(key)};
    }
    if (secure()) return have_password(Secret(until_zero(payload)));
    return on_encrypted(payload);  // from a client that has the key already
}

ServerAction ServerLogin::on_encrypted(Bytes payload) {
    auto password = link_.rsa->decrypt(payload, link_.nonce);
    if (!password) return refuse();
    return have_password(std::move(*password));
}

ServerAction ServerLogin::have_password(Secret password) {
    fast_path_ = false;
    with_password_ = !password.empty();
    if (password.size() > max_password) return refuse();
    const bool may_be_empty = link_.local() || account_.empty_password_anywhere;
    if (password.empty() && !may_be_empty) return refuse();

    const CredentialPtr& known = account_.credential;
    if (known != nullptr) {
        if (known->kind == Credential::Kind::password && known->bytes == password) return matched(known, true);
        if (known->kind == Credential::Kind::native_stage1 && !password.empty() &&
            known->bytes == native_stage1(password)) {
            return matched(password_credential(std::move(password)), false);
        }
    }
    if (account_.hash != nullptr && matches(*account_.hash, password)) {
        return matched(password_credential(std::move(password)), false);
    }
    if (account_.server_decides) return prove(password_credential(std::move(password)), false);
    return refuse();
}

ServerAction ServerLogin::matched(CredentialPtr credential, bool remembered) {
    if (!account_.proof_fresh) return prove(std::move(credential), remembered);
    if (account_.local_clients_only && !link_.local()) return refuse();
    return accept(std::move(credential), false);
}

ServerAction ServerLogin::prove(CredentialPtr credential, bool remembered) {
    if (account_.local_clients_only && !link_.local()) return refuse();
    step_ = Step::proving;
    proving_ = std::move(credential);
    return Prove{proving_, remembered};
}

ServerAction ServerLogin::proved(Result<void> result, bool matched_as_local) {
    if (step_ != Step::proving) return refuse();
    if (result) {
        if (matched_as_local && !link_.local() && !account_.local_account_anywhere) return refuse();
        return accept(std::move(proving_), true);
    }
    proving_.reset();
    const std::uint16_t code = result.error().code;
    if (code == er_access_denied || code == er_access_denied_no_password) return refuse();
    step_ = Step::over;
    return Refuse{.error = std::move(result.error()), .counts = false};
}

std::optional<std::string> ServerLogin::certificate_proof(Bytes certificate_sha256) const {
    if (!native_) return std::nullopt;
    std::string text = "\x01";
    for (const std::byte b : sha256({*native_, link_.nonce, certificate_sha256})) {
        text += fmt::format("{:02X}", std::to_integer<unsigned>(b));
    }
    return text;
}

ServerAction ServerLogin::accept(CredentialPtr credential, bool proved_now) {
    step_ = Step::over;
    Accept accept{.before_ok = {}, .credential = std::move(credential), .proved = proved_now};
    if (fast_path_) accept.before_ok = bytes_of({more_data, sha2_fast_ok});
    return accept;
}

ServerAction ServerLogin::refuse() {
    step_ = Step::over;
    if (!can_switch_ && !link_.native_hashes_in_use) {
        return Refuse{{.code = er_not_supported_auth_mode,
                       .sqlstate = "08004",
                       .message = "Client does not support authentication protocol requested by server; consider "
                                  "upgrading MySQL client"}};
    }
    Error error = access_denied(user_, link_.peer_host, with_password_);
    // The same for every account, so that it does not tell which ones are known here.
    if (with_password_ && !can_ask_for_password()) {
        error.message +=
            ". A password that is not known here yet can only be checked over an encrypted connection: turn "
            "TLS on in the client (ssl-mode=REQUIRED), or allow RSA on the gate";
    }
    return Refuse{std::move(error)};
}

}  // namespace tidegate::protocol::auth
