// The gate logs in at the server. Sans-I/O: the shell sends what it is told to, and feeds every packet's payload that
// the server sends after the greeting, until the login is done or has failed. The shell wraps response() into its
// handshake response, and frames and numbers packets.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "protocol/auth/credential.h"
#include "protocol/auth/parsec.h"
#include "protocol/wire.h"

namespace tidegate::protocol::auth {

// The link that a login runs over, as seen from the gate.
struct ServerLink {
    bool tls = false;          // the password may be sent as it is
    bool unix_socket = false;  // likewise; but the server may go by our operating system user instead
    bool rsa_allowed = true;   // without either: may the password go encrypted with a key that the server names?
};

struct Send {
    std::vector<std::byte> payload;  // one packet; may be empty
};
struct ReadNext {};
struct Done {
    std::vector<std::byte> ok;  // the OK packet, for its status flags and trackers
};
struct Failed {
    Error error;               // the server's own number, state and text where it sent them
    bool from_server = false;  // the server refused; else the gate will not or cannot go on
};
using ClientAction = std::variant<Send, ReadNext, Done, Failed>;

class ClientLogin {
public:
    // `parsec_scramble`: random bytes, for that plug-in.
    ClientLogin(CredentialPtr credential, ServerLink link, const ParsecScramble& parsec_scramble);
    ~ClientLogin();
    ClientLogin(const ClientLogin&) = delete;
    ClientLogin& operator=(const ClientLogin&) = delete;

    // Takes the greeting's plug-in (empty: a server from before there were any) and nonce. Afterwards plugin() and
    // response() are what the handshake response carries. It may be called again, for COM_CHANGE_USER.
    void start(std::string_view greeting_plugin, Bytes nonce);
    [[nodiscard]] std::string_view plugin() const { return plugin_; }
    [[nodiscard]] Bytes response() const { return response_; }

    // One packet of the server's. After Send and ReadNext feed the next one; after Done and Failed the login is over.
    [[nodiscard]] ClientAction feed(Bytes payload);

    // After Done: whether it is certain that the server checked the password. Over a unix socket a server may have let
    // us in for our operating system user (auth_socket, unix_socket, also behind OR), whatever the password. Where it
    // is not certain, log in a second time: with caching_sha2_password the same way, since then its fast path answers;
    // with other plug-ins with decoy_credential(), which has to be refused.
    [[nodiscard]] bool password_was_used() const { return password_was_used_; }

private:
    ClientAction on_switch(Bytes payload);
    ClientAction on_more_data(Bytes payload);
    ClientAction on_public_key(Bytes pem);
    ClientAction on_parsec_salt(Bytes payload);
    ClientAction answer(std::string_view plugin, Bytes nonce);
    ClientAction send_password(std::byte key_request);
    [[nodiscard]] bool may_send_clear() const { return link_.tls || link_.unix_socket; }
    [[nodiscard]] bool has_password() const { return credential_->kind == Credential::Kind::password; }

    enum class Step { idle, answered, wants_key, wants_salt };

    CredentialPtr credential_;
    ServerLink link_;
    ParsecScramble parsec_scramble_;
    Step step_ = Step::idle;
    std::string plugin_;
    std::vector<std::byte> nonce_;
    std::vector<std::byte> response_;
    int rounds_ = 0;
    bool fast_ok_ = false;
    bool password_was_used_ = false;
};

// A credential that no account has, made from random bytes: see ClientLogin::password_was_used().
[[nodiscard]] CredentialPtr decoy_credential(Bytes random);

// An ERR packet's number, state and text; a clear error of its own for a malformed one.
[[nodiscard]] Error parse_error_packet(Bytes payload);

}  // namespace tidegate::protocol::auth
