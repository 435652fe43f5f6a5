// Proves logins at the server with what the clients gave (pass-through). Such a login is a connection as any other: it
// waits for room in the budget, and counts until the server has seen its end. Where there is no room for long, one at a
// time goes ahead on what the budget keeps in reserve. Clients with the same password share one proof.
// Belongs to the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "budget/budget.h"
#include "net/stream.h"
#include "net/task.h"
#include "protocol/auth/credential.h"

namespace tidegate::proxy {

class Core;
class ServerConnection;

class Prover {
public:
    explicit Prover(Core& core) : core_(core) {}

    // Gives the host of the account that the server took the client for ("" if somebody else has just proved it). When
    // the server is full it waits, as everybody does, until pool.wait_timeout or until the client has gone.
    net::Task<Result<std::string>> prove(const std::string& user, protocol::auth::CredentialPtr credential,
                                         net::Stream& client);

private:
    struct UnderWay {
        const std::string& user;
        const protocol::auth::Credential& credential;
    };
    // What a login counts against.
    enum class Place { budget, reserve };
    struct Login {
        Result<std::string> host;
        std::unique_ptr<ServerConnection> connection;  // where it could be logged in
        budget::OpenFailure failure{};                 // where not
    };

    [[nodiscard]] bool is_under_way(const std::string& user, const protocol::auth::Credential& credential) const;
    net::Task<Result<std::string>> prove_alone(const std::string& user, protocol::auth::CredentialPtr credential,
                                               net::Stream& client, TimePoint deadline);
    net::Task<Result<Place>> wait_for_place(const std::string& user, net::Stream& client, TimePoint reserve_at,
                                            TimePoint deadline);
    net::Task<Login> log_in(const std::string& user, protocol::auth::CredentialPtr credential);
    net::Task<Result<void>> server_checks_password(const std::string& user);
    net::Task<std::string> matched_host(ServerConnection& connection);
    net::Task<void> let_go(std::unique_ptr<ServerConnection> connection, budget::AccountId account, Place place);
    [[nodiscard]] budget::AccountId account_of(const std::string& user) const;
    void gone(budget::AccountId account, Place place);

    Core& core_;
    std::vector<const UnderWay*> under_way_;
    bool reserve_used_ = false;
};

}  // namespace tidegate::proxy
