#include "proxy/prover.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "proxy/core.h"
#include "proxy/packet_io.h"

namespace tidegate::proxy {

namespace {

constexpr Duration kRoomForProof = 2s;  // then a proof goes ahead on the reserve

std::unexpected<Error> stopping() {
    return fail(1053, "08S01", "Server shutdown in progress: the gate is being stopped");
}

// Refusals that pass: the server is full, or away.
bool may_wait(budget::OpenFailure failure) {
    return failure == budget::OpenFailure::too_many || failure == budget::OpenFailure::account_limit ||
           failure == budget::OpenFailure::unreachable;
}

}  // namespace

bool Prover::is_under_way(const std::string& user, const protocol::auth::Credential& credential) const {
    return std::ranges::any_of(
        under_way_, [&](const UnderWay* proof) { return proof->user == user && proof->credential == credential; });
}

net::Task<Result<std::string>> Prover::prove(const std::string& user, protocol::auth::CredentialPtr credential,
                                             net::Stream& client) {
    const TimePoint deadline = core_.loop.now() + core_.config.pool.wait_timeout;
    const std::string peer = client.peer().host();
    std::optional<HoldOff::Proving> leave;
    while (true) {
        if (!is_under_way(user, *credential)) {
            if (auto got = core_.hold_off.begin_proving(peer)) leave.emplace(std::move(*got));
        }
        if (leave) break;
        if (core_.loop.now() >= deadline) {
            co_return fail(1040, "08004",
                           fmt::format("Too many connections: {} logins are being proved at the server already",
                                       core_.hold_off.proving()));
        }
        co_await core_.loop.sleep(net::Loop::kTick);
        if (core_.in_vain(client)) co_return stopping();
        if (core_.book.is_proved(user, *credential, core_.loop.now())) co_return std::string();
    }
    const UnderWay mine{.user = user, .credential = *credential};
    under_way_.push_back(&mine);
    auto proved = co_await prove_alone(user, credential, client, deadline);
    std::erase(under_way_, &mine);
    co_return proved;
}

net::Task<Result<std::string>> Prover::prove_alone(const std::string& user, protocol::auth::CredentialPtr credential,
                                                   net::Stream& client, TimePoint deadline) {
    const budget::AccountId account = account_of(user);
    const TimePoint reserve_at = std::min(deadline, core_.loop.now() + kRoomForProof);
    while (true) {
        const Result<Place> place = co_await wait_for_place(user, client, reserve_at, deadline);
        if (!place) co_return std::unexpected(place.error());
        if (*place == Place::budget) core_.budget.start(account);
        Login login = co_await log_in(user, credential);
        const bool answered = login.connection || !may_wait(login.failure);
        if (*place == Place::budget) {
            // Whether the server liked the password is not the budget's business.
            if (answered) {
                core_.budget.opened(account, core_.loop.now());
            } else {
                core_.budget.failed(account, login.failure, core_.loop.now());
            }
        }
        if (login.connection) {
            core_.spawn(let_go(std::move(login.connection), account, *place));
        } else if (answered || *place == Place::reserve) {
            gone(account, *place);
        } else {
            core_.pool.budget_changed(core_.loop.now());
        }
        if (answered || core_.loop.now() >= deadline) co_return std::move(login.host);
        co_await core_.loop.sleep(2 * net::Loop::kTick);
    }
}

// Room in the budget, or after a while the reserve.
net::Task<Result<Prover::Place>> Prover::wait_for_place(const std::string& user, net::Stream& client,
                                                        TimePoint reserve_at, TimePoint deadline) {
    while (core_.budget.room(account_of(user), core_.loop.now()) != budget::Room::yes) {
        const TimePoint now = core_.loop.now();
        if (!reserve_used_ && now >= reserve_at) {
            reserve_used_ = true;
            co_return Place::reserve;
        }
        if (now >= deadline) {
            co_return fail(1040, "08004",
                           fmt::format("Too many connections: none was free in time to check the password of '{}' at "
                                       "the server ({} open, limit {})",
                                       user, core_.budget.open(), core_.budget.limit()));
        }
        co_await core_.loop.sleep(net::Loop::kTick);
        if (core_.in_vain(client)) co_return stopping();
    }
    co_return Place::budget;
}

net::Task<Prover::Login> Prover::log_in(const std::string& user, protocol::auth::CredentialPtr credential) {
    bool password_used = false;
    auto opened = co_await core_.upstream.open({.user = user, .credential = std::move(credential)}, &password_used);
    core_.note_server(opened ? nullptr : &opened.error().error);
    if (!opened) {
        co_return Login{.host = std::unexpected(std::move(opened.error().error)),
                        .connection = nullptr,
                        .failure = opened.error().failure};
    }
    Login login{.host = std::string(), .connection = std::move(*opened)};
    Result<void> certain;
    if (!password_used) certain = co_await server_checks_password(user);
    if (certain) {
        login.host = co_await matched_host(*login.connection);
    } else {
        login.host = std::unexpected(certain.error());
    }
    co_return login;
}

// Over a Unix socket a server may admit a client for its operating system user, whatever the password. One that admits
// a password that nobody has proves nothing.
net::Task<Result<void>> Prover::server_checks_password(const std::string& user) {
    std::array<std::byte, 32> random;
    fill_random(random);
    auto opened = co_await core_.upstream.open({.user = user, .credential = protocol::auth::decoy_credential(random)});
    if (!opened && (opened.error().error.code == 1045 || opened.error().error.code == 1698)) co_return Result<void>{};
    co_return fail(
        1045, "28000",
        fmt::format(
            "Access denied for user '{}': the server admits this account without asking for its password, so Tidegate "
            "cannot prove it; give the account a password, or configure it as a [[user]]",
            user));
}

net::Task<std::string> Prover::matched_host(ServerConnection& connection) {
    const Result<Answer> reply = co_await connection.query("SELECT CURRENT_USER()");
    if (!reply) co_return "";
    const auto rows = reply->rows();
    if (rows.empty() || rows[0].empty() || !rows[0][0]) co_return "";
    const std::size_t at = rows[0][0]->rfind('@');
    co_return at == std::string_view::npos ? "" : std::string(rows[0][0]->substr(at + 1));
}

net::Task<void> Prover::let_go(std::unique_ptr<ServerConnection> connection, budget::AccountId account, Place place) {
    co_await connection->quit();
    gone(account, place);
}

budget::AccountId Prover::account_of(const std::string& user) const {
    return core_.accounts.find(user).value_or(static_cast<budget::AccountId>(core_.accounts.size()));
}

void Prover::gone(budget::AccountId account, Place place) {
    if (place == Place::budget) {
        core_.budget.gone(account);
    } else {
        reserve_used_ = false;
    }
    core_.pool.budget_changed(core_.loop.now());
}

}  // namespace tidegate::proxy
