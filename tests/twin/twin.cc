// The twin test: random interleavings of several clients' statements, each client on a connection of its own, and then
// all of them through the gate. Every reply must be the same.
//
//     twin SERVER mariadb|mysql INTERLEAVINGS SEED GATE..      (ports; the accounts and schemas are those of
//     test_twin.py)
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <span>
#include <stdexcept>

#include <rapidcheck.h>

#include "twin/idioms.h"
#include "twin/play.h"

namespace tidegate::twin {
namespace {

constexpr unsigned kClients = 3;

// One idiom of one client, as the generator makes it.
struct Move {
    unsigned client;
    std::size_t idiom;
    unsigned salt;
};

struct Setting {
    Place direct;
    std::vector<unsigned> gates;
    Server server;
};

void must(MYSQL* mysql, const std::string& statement) {
    if (mysql_query(mysql, statement.c_str()) != 0)
        throw std::runtime_error(fmt::format("{}: {}", statement, mysql_error(mysql)));
}

// Puts the clients' tables back to how they were, those that somebody has written to.
class Tables {
public:
    explicit Tables(const Place& place) : mysql_(mysql_init(nullptr)) {
        my_bool off = 0;
        mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
        if (mysql_real_connect(mysql_, place.host.c_str(), "admin", "admin-secret", place.schema.c_str(), place.port,
                               nullptr, 0) == nullptr)
            throw std::runtime_error(mysql_error(mysql_));
    }
    ~Tables() { mysql_close(mysql_); }
    Tables(const Tables&) = delete;
    Tables& operator=(const Tables&) = delete;

    void fresh(const Interleaving& what) {
        for (unsigned client = 0; client < what.clients.size(); ++client) {
            const auto table = fmt::format("t{}", client);
            for (const auto& act : what.clients[client])
                if (act.kind != Act::Kind::execute && act.text.contains(table)) touched_[client] = true;
            if (!touched_[client]) continue;
            must(mysql_, fmt::format("DELETE FROM {}", table));
            must(mysql_, fmt::format("ALTER TABLE {} AUTO_INCREMENT = 1", table));
            must(mysql_, fmt::format("INSERT INTO {} (id, v) VALUES (1, 'one'), (2, 'two'), (3, 'three')", table));
        }
    }
    void forget() { touched_.clear(); }

private:
    MYSQL* mysql_;
    std::map<unsigned, bool> touched_;
};

Interleaving interleaving(const Setting& setting, const std::vector<Move>& moves, const std::vector<unsigned>& order) {
    Interleaving made{.clients = std::vector<std::vector<Act>>(kClients), .order = order};
    for (const auto& move : moves) {
        auto steps = steps_of(setting.server, move.idiom, move.client, move.salt);
        auto& acts = made.clients[move.client];
        acts.insert(acts.end(), std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
    }
    return made;
}

// What is different, with what that client has done until then; empty: nothing.
std::string difference(const Interleaving& what, const std::vector<std::vector<std::string>>& direct,
                       const std::vector<std::vector<std::string>>& through) {
    for (unsigned client = 0; client < kClients; ++client) {
        for (std::size_t at = 0; at < direct[client].size(); ++at) {
            if (direct[client][at] == through[client][at]) continue;
            std::string said = fmt::format("client {}:\n", client);
            for (std::size_t before = 0; before <= at; ++before)
                said += fmt::format("    {}\n", what.clients[client][before].str());
            return said + fmt::format("  directly:         {}\n  through the gate: {}\n", direct[client][at],
                                      through[client][at]);
        }
    }
    return {};
}

int main_of(std::span<char*> arguments) {
    if (arguments.size() < 6) return 64;
    Setting setting{.direct = {.port = static_cast<unsigned>(std::stoul(arguments[1]))},
                    .gates = {},
                    .server = std::string_view(arguments[2]) == "mysql" ? Server::mysql : Server::mariadb};
    for (auto* port : arguments.subspan(5)) setting.gates.push_back(static_cast<unsigned>(std::stoul(port)));
    setenv("RC_PARAMS", fmt::format("max_success={} seed={} max_size=40", arguments[3], arguments[4]).c_str(), 1);

    Tables tables(setting.direct);
    const auto move =
        rc::gen::apply([](unsigned client, std::size_t idiom, unsigned salt) { return Move{client, idiom, salt}; },
                       rc::gen::inRange(0U, kClients), rc::gen::inRange<std::size_t>(0, idiom_count(setting.server)),
                       rc::gen::inRange(0U, 240U));
    std::size_t steps = 0;
    std::size_t played = 0;
    std::string
        last;  // what differed: RapidCheck plays the smallest case once more, and forgets one that is not stable
    const bool same = rc::check("every reply is the same", [&] {
        const auto moves = *rc::gen::resize(14, rc::gen::container<std::vector<Move>>(move));
        const auto order = *rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(0U, kClients));
        const auto what = interleaving(setting, moves, order);
        tables.forget();
        tables.fresh(what);
        const auto direct = play(what, setting.direct);
        for (const auto port : setting.gates) {
            tables.fresh(what);
            auto gate = setting.direct;
            gate.port = port;
            const auto wrong = difference(what, direct, play(what, gate));
            if (!wrong.empty()) {
                std::string all;
                for (unsigned client = 0; client < kClients; ++client)
                    for (const auto& act : what.clients[client]) all += fmt::format("    {}: {}\n", client, act.str());
                last = fmt::format("{}all steps:\n{}order: {}", wrong, all, fmt::join(order, " "));
                RC_FAIL(last);
            }
            ++played;
            for (const auto& acts : what.clients) steps += acts.size();
        }
    });
    fmt::print("{} interleavings through the gate, {} statements, {}\n", played, steps,
               same ? "no difference" : "A DIFFERENCE");
    if (!same) fmt::print("The last difference:\n{}\n", last);
    return same ? 0 : 1;
}

}  // namespace
}  // namespace tidegate::twin

int main(int count, char** values) {
    try {
        return tidegate::twin::main_of({values, static_cast<std::size_t>(count)});
    } catch (const std::exception& error) {
        fmt::print(stderr, "twin: {}\n", error.what());
        return 2;
    }
}
