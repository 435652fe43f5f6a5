// Connections that programs make by themselves, past the gate, and that the gate only counts: a *seat* is the right to
// have one. Seats come from the same budget and the same line as clients' connections, so that both together stay under
// the limit: an idle connection gives way to a seat, and a seat in use leaves that much less for clients.
//
// Whoever hands seats out (slots/server.h) says how many it has use for; granted ones wait in free() until taken.
// Belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "pool/pool.h"

namespace tidegate::proxy {

class Core;

class Seats {
public:
    explicit Seats(Core& core);
    ~Seats();

    // Called from the loop, never from within one of the functions below, when free() has grown.
    void on_granted(std::function<void()> call) { granted_call_ = std::move(call); }

    // So many people wait for a seat now. Those beyond free() stand in the pool's line; too many leave it.
    void want(unsigned count);
    [[nodiscard]] unsigned free() const { return free_; }
    [[nodiscard]] unsigned taken() const { return taken_; }
    // REQUIRES: free() > 0.
    void take();
    // REQUIRES: taken() > 0.
    void give_back();

    // For Core, which the pool calls.
    [[nodiscard]] bool owns(pool::Key key) const { return account_ && key.account == *account_; }
    [[nodiscard]] bool owns(const pool::Request& request) const { return owns(request.key); }
    [[nodiscard]] bool owns(const pool::Connection& connection) const { return owns(connection.key); }
    void opening(pool::Key key, std::uint64_t generation);  // runs a round of the loop after the pool asked for it
    void close(pool::Connection& connection, pool::CloseReason reason);  // the same
    void granted(pool::Request& request, pool::Connection& connection);
    void refused(pool::Request& request);

private:
    struct Wish : pool::Request {};

    void declare_account();
    void end(pool::Connection& connection, pool::CloseReason reason);

    Core& core_;
    std::optional<budget::AccountId> account_;
    std::vector<std::unique_ptr<Wish>> in_line_;
    std::vector<std::unique_ptr<Wish>> at_rest_;
    std::unordered_map<const pool::Connection*, std::unique_ptr<pool::Connection>> seats_;
    std::vector<pool::Connection*> leased_;  // free and taken ones: they are all alike
    unsigned free_ = 0;
    unsigned taken_ = 0;
    std::function<void()> granted_call_;
};

}  // namespace tidegate::proxy
