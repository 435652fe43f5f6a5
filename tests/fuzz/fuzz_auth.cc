// Logging in, with whatever a peer may send: a server that plays with ClientLogin, a client that plays with
// ServerLogin, and the parsers beneath. The first byte chooses; packets in the rest are cut at a length byte.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "protocol/auth/client_login.h"
#include "protocol/auth/password_hash.h"
#include "protocol/auth/rsa.h"
#include "protocol/auth/server_login.h"

namespace {

using namespace tidegate;
using namespace tidegate::protocol::auth;
using protocol::Bytes;

class Input {
public:
    explicit Input(Bytes in) : in_(in) {}
    [[nodiscard]] bool more() const { return !in_.empty(); }
    std::uint8_t byte() {
        if (in_.empty()) return 0;
        const auto value = std::to_integer<std::uint8_t>(in_[0]);
        in_ = in_.subspan(1);
        return value;
    }
    Bytes packet() {
        const std::size_t size = std::min<std::size_t>(byte(), in_.size());
        const Bytes out = in_.first(size);
        in_ = in_.subspan(size);
        return out;
    }

private:
    Bytes in_;
};

// One pair for the whole run: making it is slow.
const RsaKeys& keys() {
    static const RsaKeys made = *RsaKeys::make();
    return made;
}

void check(bool held) {
    if (!held) std::abort();
}

void client_login(Input in) {
    const std::uint8_t flags = in.byte();
    const Secret password(in.packet());
    const bool stage1 = (flags & 8) != 0;
    const auto credential = stage1 ? make_credential(Credential::Kind::native_stage1, native_stage1(password))
                                   : password_credential(password.clone());
    const ServerLink link{.tls = (flags & 1) != 0, .unix_socket = (flags & 2) != 0, .rsa_allowed = (flags & 4) != 0};
    ClientLogin login(credential, link, ParsecScramble{});
    const Bytes plugin = in.packet();
    login.start(protocol::as_text(plugin), in.packet());
    while (in.more()) {
        const ClientAction action = login.feed(in.packet());
        if (std::holds_alternative<Done>(action)) {
            check(!login.password_was_used() || !link.unix_socket || login.plugin() == "caching_sha2_password");
            return;
        }
        if (const auto* failed = std::get_if<Failed>(&action)) {
            check(failed->from_server || !failed->error.message.empty());
            return;
        }
        if (const auto* send = std::get_if<Send>(&action);
            send != nullptr && !link.tls && !link.unix_socket && password.size() > 8) {
            // Over an open link the password never goes as it is.
            const std::string sent(protocol::as_text(send->payload));
            check(sent.find(protocol::as_text(password.bytes())) == std::string::npos);
        }
    }
}

void server_login(Input in) {
    const std::uint8_t flags = in.byte();
    ClientLink link;
    link.nonce.fill(std::byte{7});
    link.tls = (flags & 1) != 0;
    link.unix_socket = (flags & 2) != 0;
    link.loopback = (flags & 4) != 0;
    link.native_hashes_in_use = (flags & 8) != 0;
    link.rsa = (flags & 16) != 0 ? &keys() : nullptr;
    AccountView account;
    const Secret known("the password that is known");
    if ((flags & 32) != 0) account.credential = password_credential(known.clone());
    if ((flags & 64) != 0) account.hash = std::make_shared<const PasswordHash>(native_stage2(native_stage1(known)));
    account.proof_fresh = (flags & 128) != 0;
    account.server_decides = (in.byte() & 1) != 0;

    ServerLogin login(link);
    const Bytes user = in.packet();
    const Bytes plugin = in.packet();
    ServerAction action = login.start(protocol::as_text(user), protocol::as_text(plugin), in.packet(), account);
    for (int round = 0; round < 8; ++round) {
        if (std::holds_alternative<SendAndRead>(action)) {
            action = login.resume(in.packet());
        } else if (const auto* prove = std::get_if<Prove>(&action)) {
            check(prove->credential != nullptr);
            check(prove->remembered == (prove->credential == account.credential));
            const bool admitted = (in.byte() & 1) != 0;
            action = login.proved(admitted ? Result<void>() : fail(1045, "28000", "no"));
        } else if (const auto* accept = std::get_if<Accept>(&action)) {
            // Nobody gets in whom neither the server nor a known password admits.
            check(accept->proved ||
                  (account.proof_fresh && (account.credential != nullptr || account.hash != nullptr)));
            return;
        } else {
            check(!std::get<Refuse>(action).error.message.empty());
            return;
        }
    }
    std::abort();  // a login comes to an end
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes rest = std::as_bytes(std::span(data + 1, size - 1));
    switch (data[0] % 4) {
        case 0:
            client_login(Input(rest));
            break;
        case 1:
            server_login(Input(rest));
            break;
        case 2:
            (void)parse_password_hash(protocol::as_text(rest));
            (void)parse_error_packet(rest);
            break;
        default:
            (void)keys().decrypt(rest, Bytes(rest).first(std::min<std::size_t>(rest.size(), 20)));
            (void)rsa_encrypt(Secret("password"), std::as_bytes(std::span("nonce")), protocol::as_text(rest));
            break;
    }
    return 0;
}
