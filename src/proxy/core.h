// What all sessions of a gate share, and what happens to server connections outside of a lease: opened, cleaned,
// killed, closed. Belongs to the loop's thread. Does what the pool says, and decides nothing that the pool can decide.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/histogram.h"
#include "budget/budget.h"
#include "config/config.h"
#include "net/loop.h"
#include "net/tls.h"
#include "pool/pool.h"
#include "protocol/auth/rsa.h"
#include "proxy/account_table.h"
#include "proxy/accounts.h"
#include "proxy/client_session.h"
#include "proxy/console.h"
#include "proxy/hold_off.h"
#include "proxy/load_balancers.h"
#include "proxy/monitor.h"
#include "proxy/prover.h"
#include "proxy/routines.h"
#include "proxy/seats.h"
#include "proxy/server_connection.h"
#include "proxy/snapshot.h"
#include "proxy/upstream.h"
#include "session/known_sets.h"
#include "session/pin_causes.h"
#include "session/prepared.h"
#include "session/state.h"

namespace tidegate::proxy {

struct Counters {
    std::uint64_t clients = 0;  // accepted in all
    std::uint64_t statements = 0;
    std::uint64_t transactions = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t login_failures = 0;
    std::uint64_t held_off = 0;
    std::uint64_t refused_1040 = 0;  // by the server, at logins; absorbed
    std::uint64_t refused_1203 = 0;
    std::uint64_t refused_1226 = 0;
    std::array<std::uint64_t, kClientEnds> ends{};
    std::array<std::uint64_t, sql::kPinCount> pins{};
};

class Core : private pool::Actions {
public:
    Core(net::Loop& event_loop, config::Config settings);
    ~Core() override;

    // TLS to the server, the gate's own certificate and RSA keys. Takes a tenth of a second.
    [[nodiscard]] Result<void> set_up();

    net::Loop& loop;
    config::Config config;
    session::States states;
    session::PreparedTexts prepared_texts;
    session::KnownSets known_sets;
    Upstream upstream;
    budget::Budget budget;
    pool::Pool pool;
    AccountTable accounts;
    AccountBook book;
    HoldOff hold_off;
    LoadBalancers load_balancers;
    Prover prover;
    Monitor monitor;
    Routines routines;
    Seats seats;
    Counters counters;
    session::PinTotals pins;                     // of the clients
    std::optional<net::TlsContext> tls;          // for clients
    std::vector<std::byte> certificate_sha256;   // of the certificate that clients see
    std::optional<protocol::auth::RsaKeys> rsa;  // a moment after the start
    Console* console = nullptr;                  // nullptr: nobody answers there

    // Clients.
    void admit(std::unique_ptr<net::Stream> stream);
    [[nodiscard]] Error too_many_clients() const;
    [[nodiscard]] std::optional<Error> held_off(const net::Address& peer);  // and counts it
    void client_ended(ClientEnd end) { ++counters.ends[static_cast<std::size_t>(end)]; }
    [[nodiscard]] std::size_t clients() const { return clients_.size(); }
    [[nodiscard]] ClientSession* client(std::uint32_t id) const;
    template <class Function>
    void each_client(Function function) const {
        for (auto& [id, client] : clients_) function(*client);
    }
    // The gate's connection ids are in a range that servers do not reach.
    [[nodiscard]] static bool is_own_id(std::uint64_t id) { return id >= kFirstId && id <= kLastId; }

    // The administrator's console: open where the gate has a password for the monitor's account.
    [[nodiscard]] bool offers_console() const {
        return console != nullptr && config.listen.console && config.server.has_account() &&
               !config.server.password.empty();
    }
    [[nodiscard]] protocol::auth::AccountView console_account() const;

    // Leases. lent() when one begins; then exactly one of those below ends it.
    void lent(ServerConnection& connection);
    void give_back(ServerConnection& connection);            // it is clean
    void reset_and_give_back(ServerConnection& connection);  // COM_RESET_CONNECTION first
    void close(ServerConnection& connection, pool::CloseReason reason);
    void kill_and_close(ServerConnection& connection);  // a statement is running on it that nobody waits for
    void forget(ServerConnection& connection, pool::CloseReason reason);  // it is gone already
    // Whether this is a connection (it may have been one) that nobody has.
    [[nodiscard]] bool rests(const ServerConnection* connection) const;

    // Sessions at rest that hold a connection only until somebody else wants one. ask_to_give_way(): the one that has
    // rested longest is asked, if there is any.
    void may_give_way(ClientSession& session);
    void ask_to_give_way();

    net::Task<void> kill_query(std::uint32_t thread_id, std::string user, protocol::auth::CredentialPtr credential);
    // Whether the server that this connection reaches was started after `time`.
    net::Task<Result<bool>> server_started_after(ServerConnection& connection, TimePoint time);
    void count_pins(sql::Pins before, sql::Pins now);
    [[nodiscard]] std::uint64_t next_owner() { return ++owners_; }
    // How many statements may be prepared on each connection: as configured, and all of them together leave half of the
    // server's max_prepared_stmt_count to others.
    [[nodiscard]] std::size_t max_prepared() const;
    [[nodiscard]] std::size_t max_prepared_of_server() const {
        return upstream.facts() ? upstream.facts()->max_prepared_stmt_count : ServerFacts().max_prepared_stmt_count;
    }
    // The server will hold no more prepared statements (1461): those on connections that nobody has are closed. False:
    // there are none.
    bool drop_idle_statements();
    void new_generation() {
        pool.new_generation(loop.now());
        book.new_generation();
        known_sets.clear();
        accounts.forget_schemas();
    }

    // Accounts.
    [[nodiscard]] budget::AccountId admit_account(std::string_view user, protocol::auth::CredentialPtr credential,
                                                  std::uint16_t charset);
    // Nobody waits for this client's login any more.
    [[nodiscard]] bool in_vain(net::Stream& client) const { return draining_ || client.socket().hung_up(); }
    net::Task<void> rsa_made(net::Stream& client);  // or the client has gone
    [[nodiscard]] std::string why_unreachable() const;
    void note_server(const Error* error);  // how the last attempt to reach it went; nullptr: well

    [[nodiscard]] protocol::auth::CredentialPtr monitor_credential() const {
        return protocol::auth::password_credential(config.server.password.clone());
    }

    // Stopping: idle clients are told so, the others when they are done.
    void start_draining();
    void end_clients();
    void give_server_up();  // the clients are gone: whatever still waits for an answer of the server does so no longer
    [[nodiscard]] bool draining() const { return draining_; }
    void tick(TimePoint now);
    void spawn(net::Task<void> task);  // runs a round of the loop later; the gate does not end before it
    // Some trigger or view leaves something in a session that no tracker reports and no statement's text shows: then a
    // connection is reset before another session gets it. `what`: empty, there is none.
    void set_hidden(std::string what);
    [[nodiscard]] bool hidden() const { return !hidden_.empty(); }
    void reload(config::Config settings);
    [[nodiscard]] bool idle() const;  // no server connection is left, and nothing is under way

    [[nodiscard]] Snapshot snapshot();
    [[nodiscard]] Duration uptime() const { return loop.now() - started_; }
    [[nodiscard]] Clients clients_now() const;
    [[nodiscard]] std::vector<ServerConnectionView> connections_now() const;
    [[nodiscard]] Holders holders() const;
    [[nodiscard]] Occupancy occupancy() const;

private:
    static constexpr std::uint32_t kFirstId = 0x4000'0000;
    static constexpr std::uint32_t kLastId = 0x7FFF'FFFF;
    static constexpr std::size_t kPlacesForConsole = 16;  // beyond max_clients, for who may turn out to be it

    // pool::Actions
    void open(pool::Key key, std::uint64_t generation) override;
    void close(pool::Connection& connection, pool::CloseReason reason) override;
    void grant(pool::Request& request, pool::Connection& connection) override;
    void refuse(pool::Request& request, const Error& error) override;
    void log(std::string_view message) override;

    void make_rsa();
    net::Task<void> run_client(std::unique_ptr<ClientSession> client);
    net::Task<void> seat_task(std::function<void()> work);
    net::Task<void> open_task(pool::Key key, std::uint64_t generation);
    net::Task<void> close_task(ServerConnection& connection, pool::CloseReason reason);
    net::Task<void> reset_task(ServerConnection& connection);
    net::Task<void> kill_task(ServerConnection& connection);
    void go_round(TimePoint now);
    [[nodiscard]] std::vector<PinnedSnapshot> pinned_now() const;
    net::Task<void> counted(net::Task<void> task);
    void declare_account(budget::AccountId id);
    void forget_credential(budget::AccountId id);
    static void peer_spoke(void* connection);

    std::unordered_map<std::uint32_t, ClientSession*> clients_;
    IntrusiveList<ClientSession, GivesWay> give_way_;
    std::unordered_map<const ServerConnection*, std::unique_ptr<ServerConnection>> connections_;
    std::uint32_t next_id_ = kFirstId;
    std::uint64_t owners_ = 0;
    std::size_t tasks_ = 0;
    bool draining_ = false;
    std::string hidden_;
    std::size_t most_clients_ = 0;  // since memory was last given back
    TimePoint next_round_{};        // of the sessions, for the time-outs that they may run into
    Duration idle_timeout_{};       // that the pool goes by now

    WallTime started_at_;
    TimePoint started_;
    ServerSnapshot server_;
    bool rsa_under_way_ = false;
    std::jthread rsa_maker_;
};

}  // namespace tidegate::proxy
