#include "sim/script.h"

#include <array>
#include <deque>

#include "sim/shell.h"

namespace tidegate::sim {

namespace {

constexpr std::size_t kClients = 24;
constexpr std::size_t kHolders = 8;  // of slots
constexpr Duration kTick = 50ms;

class Player : private World {
public:
    explicit Player(std::span<const std::uint8_t> script) : script_(script), shell_(options(), figures(), *this) {
        shell_.set_account(0, {.name = "web"});
        shell_.set_account(1, {.name = "cron", .max_connections = 1U + byte() % 4U});
        shell_.set_account(2, {.name = "shop", .guaranteed = byte() % 3U});
        for (std::size_t i = 0; i < kClients; ++i) {
            clients_[i].session = i + 1;
            clients_[i].key = {.account = static_cast<budget::AccountId>(i % 3),
                               .flags = static_cast<std::uint32_t>(i / 3 % 2)};
            clients_[i].rank = i % 4 == 3 ? 1 : 0;
        }
        shell_.set_account(kSlots, {.name = "(slots)", .counted_only = true});
        for (Client& holder : holders_) {
            holder.session = kClients + 1;
            holder.key = {.account = kSlots};
            holder.wait_timeout = 24h;  // whoever waits for a slot leaves the line by himself
        }
    }

    std::optional<std::string> play() {
        while (!script_.empty() && !shell_.ledger().violation()) step();
        if (!shell_.ledger().violation()) finish();
        if (!shell_.ledger().violation() && shell_.pool().waiting() > 0) return "answer: somebody waits for ever";
        return shell_.ledger().violation();
    }

private:
    static pool::Options options() {
        return {.wait_timeout = 2s, .max_waiting = 20, .idle_timeout = 3s, .max_age = 10s};
    }
    budget::Options figures() {
        return {.max_connections = 1U + byte() % 8U, .reserve = 1, .opening_at_once = 1U + byte() % 4U};
    }
    std::uint8_t byte() {
        if (script_.empty()) return 0;
        const std::uint8_t next = script_.front();
        script_ = script_.subspan(1);
        return next;
    }
    template <class C>
    auto& one_of(C& several) {
        return several[byte() % several.size()];
    }

    void open(pool::Key key, std::uint64_t generation) override { opens_.emplace_back(key, generation); }
    void close(ServerConnection& connection) override { closing_.push_back(&connection); }
    void granted(Client&) override {}
    void refused(Client&, const Error&) override {}

    void answer_open(std::uint8_t how) {
        const auto [key, generation] = opens_.front();
        opens_.pop_front();
        if (key.account == kSlots) return shell_.seat_opened(key, generation, now_);
        if (how < budget::kOpenFailures) return shell_.open_failed(key, static_cast<budget::OpenFailure>(how), now_);
        shell_.opened(key, generation, now_);
    }
    void acknowledge_close() {
        ServerConnection& connection = *closing_.front();
        closing_.pop_front();
        shell_.lose(connection, connection.reason, now_);
    }
    void pass(Duration by) {
        while (by > Duration::zero()) {
            now_ += kTick;
            by -= kTick;
            shell_.tick(now_);
        }
    }

    void use_client(Client& client, std::uint8_t what) {
        switch (client.standing) {
            case Client::State::away:
                client.session_state = what % 2 == 0 ? &client : nullptr;
                client.min_generation = what % 3 == 0 ? shell_.pool().generation() : 0;
                return shell_.ask(client, now_);
            case Client::State::waiting:
                if (what % 4 == 0) shell_.give_up(client, now_);
                return;
            case Client::State::leased:
                if (what % 8 != 0) return shell_.give_back(client, now_);
                shell_.lose(*client.connection, pool::CloseReason::server_lost, now_);
                if (what % 16 == 0) shell_.ask(client, now_, true);
                return;
        }
    }
    void use_holder(Client& holder, std::uint8_t what) {
        switch (holder.standing) {
            case Client::State::away:
                return shell_.ask(holder, now_);
            case Client::State::waiting:
                if (what % 4 == 0) shell_.give_up(holder, now_);
                return;
            case Client::State::leased:
                return shell_.lose(*holder.connection, pool::CloseReason::seat_left, now_);
        }
    }
    void change_figures() {
        switch (byte() % 3) {
            case 0:
                return shell_.learn({.max_connections = byte() % 12U, .others = byte() % 4U}, now_);
            case 1:
                return shell_.learn({.max_user_connections = byte() % 6U}, now_);
            default:
                return shell_.learn(byte() % 3U, {.max_user_connections = byte() % 6U, .others = byte() % 3U}, now_);
        }
    }
    void server_closes_one() {
        if (shell_.connections().empty()) return;
        ServerConnection& connection = *one_of(shell_.connections());
        if (connection.where == ServerConnection::State::idle)
            shell_.lose(connection, pool::CloseReason::server_closed, now_);
    }

    void step() {
        const std::uint8_t event = byte() % 16;
        if (event < 6) {
            use_client(one_of(clients_), byte());
        } else if (event == 6) {
            use_holder(one_of(holders_), byte());
        } else if (event < 10) {
            if (!opens_.empty()) answer_open(static_cast<std::uint8_t>(byte() % 32));
        } else if (event == 10) {
            if (!closing_.empty()) acknowledge_close();
        } else if (event == 11) {
            pass(kTick * (1 + byte() % 20));
        } else if (event == 12) {
            change_figures();
        } else if (event == 13) {
            server_closes_one();
        } else if (event == 14) {
            now_ += std::chrono::milliseconds(byte() % 50);
            shell_.tick(now_);
        } else if (const std::uint8_t rare = byte() % 8; rare == 0) {
            shell_.set_mode(static_cast<pool::Mode>(byte() % 3), now_);
        } else if (rare < 3) {
            shell_.new_generation(now_);
        }
    }

    // Everything comes to an end: the server answers, everybody gives back, and nothing is left in line. A host that is
    // blocked, which only those in line for a seat outlast, is let in again after a minute.
    void finish() {
        shell_.set_mode(pool::Mode::running, now_);
        for (int round = 0; round < 1500 && !shell_.ledger().violation(); ++round) {
            if (round >= 100 && shell_.pool().waiting() == 0) return;
            while (!opens_.empty()) answer_open(0xFF);
            while (!closing_.empty()) acknowledge_close();
            for (Client& client : clients_) {
                if (client.standing == Client::State::leased) shell_.give_back(client, now_);
            }
            for (Client& holder : holders_) {
                if (holder.standing == Client::State::leased) use_holder(holder, 0);
            }
            pass(kTick);
        }
    }

    std::span<const std::uint8_t> script_;
    Shell shell_;
    std::array<Client, kClients> clients_;
    std::array<Client, kHolders> holders_;
    std::deque<std::pair<pool::Key, std::uint64_t>> opens_;
    std::deque<ServerConnection*> closing_;
    TimePoint now_ = TimePoint{} + 100s;
};

}  // namespace

std::optional<std::string> play(std::span<const std::uint8_t> script) {
    return Player(script).play();
}

}  // namespace tidegate::sim
