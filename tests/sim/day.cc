#include "sim/day.h"

#include <fmt/core.h>

#include <cmath>
#include <utility>

namespace tidegate::sim {

namespace {

constexpr Duration kTick = 100ms;

constexpr std::array<Habit, 7> kHabits{{
    {.name = "web", .clients = 2500, .account = 0, .rank = 0, .thinks = 250, .uses = 0.03},
    {.name = "shop", .clients = 800, .account = 1, .rank = 0, .thinks = 250, .uses = 0.05, .guaranteed = 5},
    {.name = "api", .clients = 600, .account = 2, .rank = 0, .thinks = 200, .uses = 0.02},
    {.name = "cron", .clients = 400, .account = 3, .rank = 1, .thinks = 0, .uses = 0.8, .in_bursts = true},
    {.name = "import", .clients = 40, .account = 4, .rank = 1, .thinks = 120, .uses = 1.5, .guaranteed = 2},
    {.name = "reports", .clients = 60, .account = 5, .rank = 2, .thinks = 900, .uses = 20},
    {.name = "(slots)", .clients = 150, .account = kSlots, .rank = 1, .thinks = 300, .uses = 2},
}};
constexpr double kSlotWait = 30;  // those who wait for a slot leave the line by themselves

Duration of(double in) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(in));
}

}  // namespace

Day::Day(Morning morning)
    : morning_(morning),
      chance_(morning.seed),
      shell_({.wait_timeout = 30s, .max_waiting = 2000, .idle_timeout = 60s, .max_age = 30min, .seed = morning.seed},
             {.max_connections = 120, .opening_at_once = 16, .seed = morning.seed}, *this) {
    for (const Habit& habit : kHabits) {
        shell_.set_account(
            habit.account,
            {.name = habit.name, .guaranteed = habit.guaranteed, .counted_only = habit.account == kSlots});
        for (std::size_t i = 0; i < habit.clients; ++i) {
            Client& client = clients_.emplace_back();
            client.session = clients_.size();
            client.key = {.account = habit.account, .flags = static_cast<std::uint32_t>(i % 5 == 0 ? 1 : 0)};
            client.rank = habit.rank;
            if (i % 7 == 0) client.wait_timeout = 5s;
            if (habit.account == kSlots) {
                client.key.flags = 0;
                client.wait_timeout = 24h;
            }
            habits_.push_back(&habit);
            if (!habit.in_bursts) plan(habit.thinks * chance_.fraction(), What::ask, clients_.size() - 1);
        }
    }
    plan(300, What::burst, 0);
    plan(1, What::others, 0);
    if (morning_.monitored) plan(0, What::look, 0);
}

void Day::run() {
    const TimePoint end = midnight_ + morning_.ends;
    auto scene = plot().begin();
    TimePoint tick = now_;
    while (tick < end && !failure()) {
        tick += kTick;
        while (!events_.empty() && events_.top().at <= tick) {
            const Event event = events_.top();
            events_.pop();
            now_ = event.at;
            happen(event);
        }
        now_ = tick;
        shell_.tick(now_);
        for (; scene != plot().end() && midnight_ + scene->at <= now_; ++scene) scene->play(*this);
    }
}

void Day::happen(const Event& event) {
    switch (event.what) {
        case What::ask: {
            Client& client = clients_[event.whom];
            if (client.standing != Client::State::away || over_) return;
            ++asked_;
            shell_.ask(client, now_);
            if (client.standing == Client::State::waiting && client.key.account == kSlots) {
                plan(kSlotWait, What::give_up, event.whom, client.asked);
            } else if (client.standing == Client::State::waiting && chance_.fraction() < 0.02) {
                plan(about(3), What::give_up, event.whom, client.asked);
            }
            return;
        }
        case What::finish: {
            Client& client = clients_[event.whom];
            if (client.standing == Client::State::leased && client.asked == event.token) finish(client);
            return;
        }
        case What::give_up: {
            Client& client = clients_[event.whom];
            if (client.standing != Client::State::waiting || client.asked != event.token) return;
            shell_.give_up(client, now_);
            plan(about(60), What::ask, event.whom);
            return;
        }
        case What::login:
            return login(event.whom, event.token);
        case What::goodbye: {
            ServerConnection* connection = leaving_[event.whom];
            leaving_[event.whom] = nullptr;
            free_leaving_.push_back(event.whom);
            if (connection == nullptr) return;  // the server was lost in between
            leave_server(*connection);
            return shell_.lose(*connection, connection->reason, now_);
        }
        case What::others: {
            // Other applications come and go; now and then a wave of them.
            const double wave = chance_.fraction() < 0.01 ? 60 : 0;
            if (server_.others < 1000) {
                const double want = 8 + wave + 12 * chance_.fraction();
                const unsigned room =
                    server_.max_connections - std::min(server_.max_connections, server_.ours_in_all + 1);
                server_.others = std::min(static_cast<unsigned>(want), room);
            }
            return plan(20, What::others, 0);
        }
        case What::look:
            return look();
        case What::burst:
            for (std::size_t i = 0; i < clients_.size(); ++i) {
                if (habits_[i]->in_bursts) plan(chance_.fraction(), What::ask, i);
            }
            return plan(300, What::burst, 0);
    }
}

void Day::finish(Client& client) {
    const double luck = chance_.fraction();
    const std::size_t whom = index_of(client);
    const Habit& habit = *habits_[whom];
    ServerConnection& connection = *client.connection;
    if (server_.frozen) return plan(1, What::finish, whom, client.asked);
    if (client.key.account == kSlots) {
        leave_server(connection);
        shell_.lose(connection, pool::CloseReason::seat_left, now_);
        return plan(about(habit.thinks) / tide(), What::ask, whom);
    }
    if (luck < 0.01) {  // the client vanished in the middle of something
        leave_server(connection);
        shell_.lose(connection, pool::CloseReason::client_gone, now_);
    } else {
        shell_.give_back(client, now_);
        if (luck > 0.7 && !over_) {  // the next transaction at once: it must not overtake those who wait
            ++asked_;
            return shell_.ask(client, now_);
        }
    }
    if (!habit.in_bursts) plan(about(habit.thinks) / tide(), What::ask, whom);
}

void Day::login(std::size_t whom, std::uint64_t generation) {
    const pool::Key key{.account = static_cast<budget::AccountId>(whom / kFlags),
                        .flags = static_cast<std::uint32_t>(whom % kFlags)};
    if (key.account == kSlots) return shell_.seat_opened(key, generation, now_);
    if (const auto failure = server_.decide(key.account)) return shell_.open_failed(key, *failure, now_);
    server_.admitted(key.account);
    shell_.opened(key, generation, now_);
}

void Day::look() {
    if (server_.up && !server_.frozen) {
        shell_.learn({.max_connections = server_.max_connections,
                      .max_user_connections = server_.max_user_connections,
                      .others = server_.others},
                     now_);
        for (budget::AccountId account = 0; account < kAccounts; ++account) {
            shell_.learn(account, {.max_user_connections = server_.account_limits[account], .others = 0}, now_);
        }
    }
    plan(1, What::look, 0);
}

// The server is gone: those whose statement was a plain read, or was not sent yet, ask again.
void Day::lose_all() {
    server_.up = false;
    for (ServerConnection*& connection : leaving_) connection = nullptr;
    std::vector<Client*> again;
    std::vector<ServerConnection*> lost;
    for (const auto& connection : shell_.connections()) {
        leave_server(*connection);
        // Whoever holds a slot holds it without the server, too.
        const bool is_held = connection->key.account == kSlots && connection->where == ServerConnection::State::leased;
        if (!is_held) lost.push_back(connection.get());
    }
    for (ServerConnection* each : lost) {
        ServerConnection& connection = *each;
        Client* client = connection.client;
        shell_.lose(connection, client != nullptr ? pool::CloseReason::server_lost : pool::CloseReason::server_closed,
                    now_);
        if (client != nullptr) again.push_back(client);
    }
    for (Client* client : again) {
        if (chance_.fraction() < 0.5) {
            shell_.ask(*client, now_, true);
        } else {
            plan(about(10), What::ask, index_of(*client));
        }
    }
}

void Day::leave_server(ServerConnection& connection) {
    if (std::exchange(connection.at_server, false)) server_.left(connection.key.account);
}

// ---- World

void Day::open(pool::Key key, std::uint64_t generation) {
    if (key.account == kSlots) return plan(0, What::login, lane_of(key), generation);
    const double takes = !server_.up ? 0.001 : server_.frozen ? 5.0 : about(server_.open_takes);
    plan(takes, What::login, lane_of(key), generation);
}

void Day::close(ServerConnection& connection) {
    if (free_leaving_.empty()) {
        free_leaving_.push_back(leaving_.size());
        leaving_.push_back(nullptr);
    }
    const std::size_t place = free_leaving_.back();
    free_leaving_.pop_back();
    leaving_[place] = &connection;
    plan(about(0.0005), What::goodbye, place);
}

void Day::granted(Client& client) {
    const std::size_t whom = index_of(client);
    if (client.key.account == kSlots) {
        ++seats_;
        const bool refused = server_.decide(kSlots).has_value();
        client.connection->at_server = !refused;
        if (refused)
            ++seats_refused_;
        else
            server_.admitted(kSlots);
    }
    plan(about(habits_[whom]->uses) * server_.statements_take, What::finish, whom, client.asked);
}

void Day::refused(Client& client, const Error& error) {
    const std::size_t whom = index_of(client);
    const bool ours = error.code == 1040 && error.sqlstate == "08004" && error.message.size() > 80;
    const bool denied = server_.denied[client.key.account] && error.code == 1105;
    expect(ours || denied || (over_ && error.code == 1053), "a refusal has another error: " + error.message);
    ++(denied ? denied_ : refused_1040_);
    if (!habits_[whom]->in_bursts) plan(about(20), What::ask, whom);
}

// ---- small things

void Day::plan(double in, What what, std::size_t whom, std::uint64_t token) {
    events_.push({now_ + of(in), ++numbers_, what, whom, token});
}

double Day::about(double middle) {
    return -middle * std::log(1.0 - chance_.fraction());
}

std::size_t Day::index_of(const Client& client) const {
    return client.session - 1;
}

double Day::tide() const {
    const double hour = seconds(now_ - midnight_) / 3600;
    return rush_ * (0.6 + 0.5 * std::sin((hour - 8) / 24 * 2 * 3.14159265));
}

void Day::expect(bool holds, const std::string& what) {
    if (!holds && !unexpected_) {
        const auto at = static_cast<int>(seconds(now_ - midnight_));
        unexpected_ = fmt::format("at {:02}:{:02}:{:02}: {}", at / 3600, at / 60 % 60, at % 60, what);
    }
}

std::optional<std::string> Day::failure() const {
    return shell_.ledger().violation() ? shell_.ledger().violation() : unexpected_;
}

std::string Day::summary() {
    const auto stats = shell_.pool().stats(now_);
    const auto ms = [&](double p) { return seconds(stats.all.waits.percentile(p)) * 1000; };
    std::string closed;
    for (std::size_t i = 0; i < stats.closed.size(); ++i) {
        closed += fmt::format(" {} {}", stats.closed[i], pool::name_of(static_cast<pool::CloseReason>(i)));
    }
    return fmt::format(
        "seed {} {}: {} requests, {} waited ({:.1f} ms p50, {:.1f} ms p99), {} refused, {} denied, longest line {}, {} "
        "opened, "
        "most at the server {}, refused by it: {} x 1040, {} x 1203/1226; {} seats for slots, {} of their holders "
        "refused; closed:{}; {} events held against the rules",
        morning_.seed, morning_.monitored ? "with a monitor" : "without one", asked_, stats.all.waited, ms(50), ms(99),
        refused_1040_, denied_, stats.most_waiting, stats.opened, server_.most_ours,
        stats.open_failures[static_cast<std::size_t>(budget::OpenFailure::too_many)],
        stats.open_failures[static_cast<std::size_t>(budget::OpenFailure::account_limit)], seats_, seats_refused_,
        closed, shell_.ledger().events);
}

}  // namespace tidegate::sim
