// A client logs in at the gate. Sans-I/O: the shell parses the handshake response, looks the account up, calls start(),
// and does what the action says until it is Accept or Refuse.
//
// What is known decides how it goes. A known password (configured, or proved before) verifies any plug-in's answer; a
// native hash verifies mysql_native_password's and yields stage 1. Where that does not suffice the client is asked for
// the password itself, over TLS, a unix socket or RSA; and where nothing is known the server is asked, by logging in
// there with it (Prove). An account whose proof is not fresh is proved again: a hash never admits what the server would
// not.
//
// Unknown users and wrong passwords run through the same steps and end in the same words, so that a client cannot tell
// which accounts exist. They differ in time: the shell sends refusals no earlier than refusal_floor after the login
// began.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/auth/credential.h"
#include "protocol/auth/password_hash.h"
#include "protocol/auth/plugins.h"
#include "protocol/auth/rsa.h"
#include "protocol/wire.h"

namespace tidegate::protocol::auth {

inline constexpr Duration refusal_floor = 250ms;

// The client's side of the link, and what this gate allows on it. `rsa` must outlive the login.
struct ClientLink {
    Nonce nonce{};
    std::string_view greeting_plugin = caching_sha2_plugin;  // what the gate's greeting named
    bool tls = false;
    bool unix_socket = false;
    bool loopback = false;         // a TCP peer from 127.0.0.0/8 or ::1
    bool rsa_on_any_link = false;  // off: RSA only where the peer is on loopback
    const RsaKeys* rsa = nullptr;
    std::string peer_host;              // for the text of a refusal: 'user'@'peer_host'
    bool native_hashes_in_use = false;  // some account is known by a native hash: worth asking for that plug-in

    [[nodiscard]] bool local() const { return unix_socket || loopback; }
};

// What is known of one account when a login begins. Holds on to what it needs; the book may change meanwhile.
struct AccountView {
    CredentialPtr credential = {};                  // configured, or proved before
    std::shared_ptr<const PasswordHash> hash = {};  // configured or fetched
    bool proof_fresh = false;                       // the server admitted this credential, or this hash's, not long ago
    bool server_decides = true;  // a password that differs from what is known is tried at the server (pass-through)
    bool local_clients_only = false;       // the server would take the gate for a local client, and this one is not
    bool local_account_anywhere = false;   // listed: it may come from afar though the server takes it for local
    bool empty_password_anywhere = false;  // an empty password may come from afar too (listed in the configuration)
};

// Send the packet, read the client's next one, call resume() with its payload.
struct SendAndRead {
    std::vector<std::byte> payload;
};
// Log in at the server with this credential, then call proved(). `remembered`: it is the view's own credential, so if
// the server refuses it the book should forget it.
struct Prove {
    CredentialPtr credential;
    bool remembered = false;
};
// Send `before_ok` first, if it is not empty, then OK. The credential opens server connections for this client; it is
// the one to remember. `proved`: the server has just admitted it.
struct Accept {
    std::vector<std::byte> before_ok;
    CredentialPtr credential;
    bool proved = false;
};
// Send the error, close. `counts`: a wrong password, for the hold-off; not a server that was away.
struct Refuse {
    Error error;
    bool counts = true;
};
using ServerAction = std::variant<SendAndRead, Prove, Accept, Refuse>;

class ServerLogin {
public:
    explicit ServerLogin(ClientLink link);
    ~ServerLogin();
    ServerLogin(const ServerLogin&) = delete;
    ServerLogin& operator=(const ServerLogin&) = delete;

    // The handshake response's fields; `plugin` is empty for a client without CLIENT_PLUGIN_AUTH.
    [[nodiscard]] ServerAction start(std::string_view user, std::string_view plugin, Bytes response,
                                     AccountView account);
    // REQUIRES: the last action was SendAndRead.
    [[nodiscard]] ServerAction resume(Bytes payload);
    // REQUIRES: the last action was Prove. Error 1045 means that the server refused the password. `matched_as_local`:
    // the server took the gate for a local client (the host in CURRENT_USER() there), which a client from afar is not.
    [[nodiscard]] ServerAction proved(Result<void> result, bool matched_as_local = false);

    // After Accept: MariaDB clients since 11.4 trust a certificate that they cannot verify if the OK packet's text
    // proves that the gate knows the password's hash. The text, given the SHA-256 of the certificate (DER); nothing for
    // logins that were not mysql_native_password's, for which those clients have no such proof.
    [[nodiscard]] std::optional<std::string> certificate_proof(Bytes certificate_sha256) const;

private:
    enum class Step { start, wants_answer, wants_password, wants_encrypted, proving, over };

    ServerAction evaluate(Bytes response);
    ServerAction evaluate_native(Bytes response);
    ServerAction evaluate_sha2(Bytes response);
    ServerAction on_password_packet(Bytes payload);
    ServerAction on_encrypted(Bytes payload);
    ServerAction ask_for_password();
    ServerAction have_password(Secret password);
    ServerAction matched(CredentialPtr credential, bool remembered);
    ServerAction prove(CredentialPtr credential, bool remembered);
    ServerAction accept(CredentialPtr credential, bool proved_now);
    ServerAction refuse();
    ServerAction switch_to(std::string_view plugin);
    [[nodiscard]] bool secure() const { return link_.tls || link_.unix_socket; }
    [[nodiscard]] bool rsa_allowed() const;
    [[nodiscard]] bool can_ask_for_password() const { return secure() || rsa_allowed(); }

    ClientLink link_;
    AccountView account_;
    Step step_ = Step::start;
    std::string user_;
    std::string plugin_;      // whose answer we have or wait for
    bool can_switch_ = true;  // the client knows of plug-ins
    bool switched_ = false;
    bool with_password_ = true;
    bool fast_path_ = false;  // the answer was caching_sha2_password's: fast-ok goes before OK
    CredentialPtr proving_;
    std::optional<NativeStage2> native_;  // the hash that mysql_native_password's answer fitted
};

// MySQL's own words for a login that is refused.
[[nodiscard]] Error access_denied(std::string_view user, std::string_view host, bool with_password);

}  // namespace tidegate::protocol::auth
