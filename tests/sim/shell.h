// The pool's shell as the simulation has it: it does nothing but keep the ledger and pass on what the pool wants done.
// Used by the simulated day, by the random scripts and by the fuzzer.
#pragma once

#include <memory>
#include <vector>

#include "pool/pool.h"
#include "sim/ledger.h"

namespace tidegate::sim {

// What the pool wants done, for those who simulate the world around it.
class World {
public:
    virtual ~World() = default;
    virtual void open(pool::Key key, std::uint64_t generation) = 0;
    virtual void close(ServerConnection& connection) = 0;
    virtual void granted(Client& client) = 0;
    virtual void refused(Client& client, const Error& error) = 0;
    virtual void log(std::string_view) {}
};

class Shell : private pool::Actions {
public:
    Shell(pool::Options options, budget::Options figures, World& world);

    [[nodiscard]] pool::Pool& pool() { return pool_; }
    [[nodiscard]] const Ledger& ledger() const { return ledger_; }
    [[nodiscard]] const std::vector<std::unique_ptr<ServerConnection>>& connections() const { return connections_; }

    void ask(Client& client, TimePoint now, bool again = false);
    void give_up(Client& client, TimePoint now);
    void give_back(Client& client, TimePoint now);
    // Its connection is gone: the server's doing, or the client's own.
    void lose(ServerConnection& connection, pool::CloseReason reason, TimePoint now);
    void opened(pool::Key key, std::uint64_t generation, TimePoint now);
    void open_failed(pool::Key key, budget::OpenFailure failure, TimePoint now);
    // The same for a seat, which no server is asked for.
    void seat_opened(pool::Key key, std::uint64_t generation, TimePoint now);
    void tick(TimePoint now);
    void learn(const budget::Learnt& learnt, TimePoint now);
    void learn(budget::AccountId account, const budget::LearntAccount& learnt, TimePoint now);
    void set_account(budget::AccountId account, const budget::AccountOptions& options);
    void set_mode(pool::Mode mode, TimePoint now);
    void new_generation(TimePoint now);

private:
    void open(pool::Key key, std::uint64_t generation) override;
    void close(pool::Connection& connection, pool::CloseReason reason) override;
    void grant(pool::Request& request, pool::Connection& connection) override;
    void refuse(pool::Request& request, const Error& error) override;
    void log(std::string_view message) override { world_.log(message); }

    World& world_;
    budget::Budget budget_;
    pool::Pool pool_;
    Ledger ledger_;
    ServerConnection& enter_opened(pool::Key key, std::uint64_t generation, TimePoint now);
    void enter_waiting();  // the client that asks is in line now

    TimePoint now_{};
    Client* asking_ = nullptr;
    std::vector<std::unique_ptr<ServerConnection>> connections_;
};

}  // namespace tidegate::sim
