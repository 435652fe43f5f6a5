// The slots' door of a running gate: a Unix socket with the line protocol (line_protocol.h), on the gate's loop. Each
// pool has at most [slots] max slots, and all together, with the proxy's clients, what the budget allows: a slot is
// given when both agree, so every holder has a seat (proxy/seats.h). Belongs to the loop's thread, but for views().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/config.h"
#include "net/ask.h"
#include "net/listener.h"
#include "proxy/companion.h"
#include "proxy/seats.h"
#include "slots/door.h"
#include "slots/gate_pool.h"
#include "slots/line_protocol.h"

namespace tidegate::slots {

class Server final : public proxy::Companion {
public:
    // `limit`: of the budget, now. An error says why the socket cannot be had.
    [[nodiscard]] static Result<std::unique_ptr<Server>> open(net::Loop& loop, proxy::Seats& seats,
                                                              std::function<unsigned()> limit,
                                                              const config::Slots& config, Place place);
    ~Server() override;

    void tick(TimePoint now) override;
    void reload(const config::Config& config) override;
    void drain() override;
    [[nodiscard]] bool idle() override { return sessions_ == 0 && !accepting_; }

    [[nodiscard]] const Place& place() const { return place_; }
    // Thread-safe; what it was lately if the loop does not answer within a second.
    [[nodiscard]] std::vector<PoolView> views();

private:
    struct Session;
    struct Desk {  // a pool, and who waits for it
        GatePool pool;
        std::map<std::pair<int, std::uint64_t>, Session*> waiting;  // by priority and arrival
        std::optional<unsigned> said{};  // how many slots it is to have; empty: as [slots] has it
    };

    Server(net::Loop& loop, proxy::Seats& seats, std::function<unsigned()> limit, const config::Slots& config,
           Place place);
    net::Task<void> accept();
    net::Task<void> run(std::unique_ptr<Session> session);
    void handle(Session& session, std::string_view text);
    void acquire(Session& session, const Line& line);
    void stand_in_line(Session& session, const Line& line, Desk& desk);
    bool resume(Session& session, const Line& line, Desk& desk);
    void release(Session& session, bool gone);
    void leave(Session& session, Leave how);
    [[nodiscard]] Result<Desk*> desk_of(const std::string& pool);
    void serve();
    [[nodiscard]] Desk* next_desk();
    bool grant(Desk& desk, const Ledger::Next& next);
    void hold(Session& session, Desk& desk, SlotNumber slot, PoolFile lock, bool has_seat);
    void return_seats(unsigned count);
    [[nodiscard]] unsigned size() const;  // of a pool of which nobody has said more
    [[nodiscard]] unsigned size_of(const Desk& desk) const;
    void resize(Desk& desk, TimePoint now);
    [[nodiscard]] std::string list(const std::string& pool);

    net::Loop& loop_;
    proxy::Seats& seats_;
    std::function<unsigned()> limit_;
    config::Slots config_;
    Place place_;
    std::unique_ptr<net::Listener> listener_;
    std::map<std::string, Desk, std::less<>> desks_;
    std::vector<Session*> all_;
    std::size_t sessions_ = 0;
    bool started_ = false;
    bool accepting_ = false;
    bool draining_ = false;
    bool serving_ = false;
    bool in_trouble_ = false;  // it was said that no slot can be given
    net::LastAnswer<std::vector<PoolView>> views_;
};

}  // namespace tidegate::slots
