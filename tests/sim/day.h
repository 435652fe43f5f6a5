// A day of a gate in a few seconds: thousands of clients of six accounts and three ranks, holders of slots beside them,
// a server that is restarted, shrunk, filled up by others, frozen and misconfigured, and the pool in between. Discrete
// events; the same seed gives the same day.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "sim/model_server.h"
#include "sim/shell.h"

namespace tidegate::sim {

// How the clients of one kind behave. Times in seconds, the middle of an exponential distribution.
struct Habit {
    const char* name;
    std::size_t clients;
    budget::AccountId account;
    std::uint32_t rank;
    double thinks;
    double uses;
    bool in_bursts = false;  // all of them together, every five minutes
    unsigned guaranteed = 0;
};

struct Morning {
    std::uint64_t seed = 1;
    Duration ends = 24h;
    bool monitored = true;  // the monitor reads the server's figures every second; else only refusals teach
};

class Day : private World {
public:
    explicit Day(Morning morning);

    // Runs to the end, or to the first broken rule.
    void run();

    // The first rule that was broken, or the first thing in the plot that did not come out.
    [[nodiscard]] std::optional<std::string> failure() const;
    [[nodiscard]] std::string summary();

private:
    enum class What : std::uint8_t { ask, finish, give_up, login, goodbye, others, look, burst };
    struct Event {
        TimePoint at;
        std::uint64_t number;  // of two at the same time the one that was planned first
        What what;
        std::size_t whom;
        std::uint64_t token;
        bool operator<(const Event& other) const { return at != other.at ? at > other.at : number > other.number; }
    };
    // One moment of the plot.
    struct Scene {
        Duration at;
        void (*play)(Day&);
    };

    // World
    void open(pool::Key key, std::uint64_t generation) override;
    void close(ServerConnection& connection) override;
    void granted(Client& client) override;
    void refused(Client& client, const Error& error) override;

    void plan(double in, What what, std::size_t whom, std::uint64_t token = 0);
    void happen(const Event& event);
    void finish(Client& client);
    void login(std::size_t whom, std::uint64_t generation);
    void look();  // the monitor does
    void lose_all();
    void leave_server(ServerConnection& connection);
    [[nodiscard]] double about(double middle);
    [[nodiscard]] std::size_t index_of(const Client& client) const;
    void expect(bool holds, const std::string& what);
    // How busy clients are at this time of the day; more is busier.
    [[nodiscard]] double tide() const;

    // plot.cc
    static const std::vector<Scene>& plot();
    friend struct Scenes;

    Morning morning_;
    budget::Jitter chance_;
    ModelServer server_;
    Shell shell_;
    TimePoint midnight_ = TimePoint{} + 24h;
    TimePoint now_ = midnight_;
    std::uint64_t numbers_ = 0;
    std::priority_queue<Event> events_;
    std::deque<Client> clients_;
    std::vector<const Habit*> habits_;  // by client
    std::vector<ServerConnection*> leaving_;
    std::vector<std::size_t> free_leaving_;
    double rush_ = 1.0;
    bool over_ = false;

    std::uint64_t asked_ = 0;
    std::uint64_t refused_1040_ = 0;
    std::uint64_t denied_ = 0;
    std::uint64_t seats_ = 0;
    std::uint64_t seats_refused_ = 0;  // by the server, whose other connections came too fast to be seen
    std::optional<std::string> unexpected_;
};

}  // namespace tidegate::sim
