// The pool's unit tests play on this: a shell that does nothing by itself, a clock that ticks when told, clients by
// number.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "pool/pool.h"

namespace tidegate::pool {

class Stage : public testing::Test, private Actions {
protected:
    explicit Stage(Options options = {}, budget::Options figures = {.max_connections = 2, .opening_at_once = 4})
        : budget(figures), pool(options, budget, *this) {
        budget.set_account(0, {.name = "web"});
        budget.set_account(1, {.name = "cron"});
        budget.set_account(2, {.name = "shop"});
    }

    // A new client that asks; its number is its place in `clients`.
    Request& client(Key key = {}, std::uint32_t rank = 0) {
        Request& request = clients.emplace_back();
        request.key = key;
        request.rank = rank;
        request.session = clients.size();
        return request;
    }
    Acquired ask(Request& request) {
        last = pool.acquire(request, now);
        if (last.what == Acquired::granted) leases.push_back({&request, last.connection});
        return last.what;
    }
    Request& asking(Key key = {}, std::uint32_t rank = 0) {
        Request& request = client(key, rank);
        ask(request);
        return request;
    }
    // The server answers the oldest login that is under way, or all of them.
    Connection& open_one() {
        Connection& connection = connections.emplace_back();
        connection.key = opens.front().key;
        connection.generation = opens.front().generation;
        opens.erase(opens.begin());
        pool.opened(connection, now);
        return connection;
    }
    void open_all() {
        while (!opens.empty()) open_one();
    }
    void fail_one(OpenFailure failure, Error error = {.code = 1045, .message = "as the test wants it"}) {
        const Key key = opens.front().key;
        opens.erase(opens.begin());
        pool.open_failed(key, failure, error, now);
    }
    // A client that has a connection of its own.
    Request& served(Key key = {}, std::uint32_t rank = 0) {
        Request& request = asking(key, rank);
        open_all();
        EXPECT_NE(lease_of(request), nullptr);
        return request;
    }
    void release(Request& request) {
        Connection* connection = lease_of(request);
        ASSERT_NE(connection, nullptr);
        std::erase_if(leases, [&](const Lease& lease) { return lease.request == &request; });
        pool.release(*connection, now);
    }
    void lose(Request& request) {
        Connection* connection = lease_of(request);
        std::erase_if(leases, [&](const Lease& lease) { return lease.request == &request; });
        pool.closed(*connection, CloseReason::server_lost, now);
    }
    // The server has closed its end of what was said good-bye to.
    void goodbyes() {
        while (!closing.empty()) {
            Connection* connection = closing.front();
            closing.erase(closing.begin());
            pool.closed(*connection, connection->reason, now);
        }
    }
    void tick(Duration by) {
        now += by;
        pool.tick(now);
    }
    Connection* lease_of(const Request& request) {
        for (const Lease& lease : leases) {
            if (lease.request == &request) return lease.connection;
        }
        return nullptr;
    }
    const Error* refusal_of(const Request& request) {
        for (const auto& [whom, error] : refusals) {
            if (whom == &request) return &error;
        }
        return nullptr;
    }
    bool logged(std::string_view part) {
        return std::any_of(logs.begin(), logs.end(), [&](const std::string& line) { return line.contains(part); });
    }
    std::uint64_t closed_by(CloseReason reason) { return pool.stats(now).closed[static_cast<std::size_t>(reason)]; }

    struct Opening {
        Key key;
        std::uint64_t generation;
    };
    struct Lease {
        Request* request;
        Connection* connection;
    };

    budget::Budget budget;
    TimePoint now = TimePoint{} + 1h;
    std::deque<Connection> connections;
    std::deque<Request> clients;
    Pool pool;
    Answer last;
    std::vector<Opening> opens;
    std::vector<Lease> leases;  // as granted, at once or later
    std::vector<Connection*> closing;
    std::vector<std::pair<Request*, Error>> refusals;
    std::vector<std::string> logs;

private:
    void open(Key key, std::uint64_t generation) override { opens.push_back({key, generation}); }
    void close(Connection& connection, CloseReason) override { closing.push_back(&connection); }
    void grant(Request& request, Connection& connection) override { leases.push_back({&request, &connection}); }
    void refuse(Request& request, const Error& error) override { refusals.emplace_back(&request, error); }
    void log(std::string_view message) override { logs.emplace_back(message); }
};

}  // namespace tidegate::pool
