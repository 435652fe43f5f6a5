#include "proxy/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/log.h"
#include "proxy/core.h"

namespace tidegate::proxy {
namespace {

constexpr Duration kFirstRetry = 100ms;
constexpr Duration kLastRetry = 500ms;
constexpr Duration kPatience = 30s;
constexpr int kLooksBetweenAccounts = 5;

std::optional<unsigned> number(std::optional<std::string_view> text) {
    unsigned value = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{})
        return std::nullopt;
    return value;
}

}  // namespace

Monitor::Monitor(Core& core) : core_(core), wake_(core.loop) {}

void Monitor::stop() {
    if (stopping_) return;
    stopping_ = true;
    wake_.set();
    if (connection_) connection_->stream().shut_down();
}

// Waits for the time to pass, or for something to do.
net::Task<void> Monitor::rest(TimePoint until) {
    while (core_.loop.now() < until && !wake_.is_set()) co_await core_.loop.sleep(net::Loop::kTick);
    wake_.clear();
}

net::Task<void> Monitor::run() {
    ended_ = false;
    Duration retry = kFirstRetry;
    while (!stopping_) {
        if (!connection_) {
            co_await connect();
            if (!connection_) {
                drop_connection();
                co_await rest(core_.loop.now() + retry);
                retry = std::min(retry * 2, kLastRetry);
                continue;
            }
            retry = kFirstRetry;
            looks_ = 0;
            next_look_ = {};
        }
        const bool alive = co_await attend();
        if (!alive) {
            drop_connection();
            continue;
        }
        if (orders_.empty()) co_await rest(std::min(next_look_, core_.routines.next_look()));
    }
    drop_connection();
    ended_ = true;
}

// One round of everything. A server that does not answer, or a network that swallows everything, ends it.
net::Task<bool> Monitor::attend() {
    net::Deadline patience(core_.loop, connection_->stream().socket());
    patience.arm(core_.loop.now() + kPatience);
    bool alive = co_await carry_out_orders();
    if (alive && core_.loop.now() >= next_look_) {
        next_look_ = core_.loop.now() + core_.config.server.monitor_interval;
        alive = co_await look();
        if (alive && accounts_readable_ && looks_++ % kLooksBetweenAccounts == 0) alive = co_await look_at_accounts();
    }
    // Last: how full the server is matters at once, and reading bodies may take it a while.
    if (alive && core_.loop.now() >= core_.routines.next_look()) alive = co_await core_.routines.look(*connection_);
    co_return alive;
}

net::Task<void> Monitor::connect() {
    if (!core_.config.server.has_account()) {
        // Nobody to log in as; but what the greeting says must be known before the first client can be greeted.
        if (!core_.upstream.greeting()) {
            const Result<void> learnt = co_await core_.upstream.learn_greeting();
            core_.note_server(learnt ? nullptr : &learnt.error());
        }
        co_return;
    }
    Upstream::Login login;
    login.user = core_.config.server.user;
    login.credential = core_.monitor_credential();
    auto opened = co_await core_.upstream.open(std::move(login));
    if (opened) {
        connection_ = std::move(*opened);
        core_.note_server(nullptr);
    } else {
        core_.note_server(&opened.error().error);
    }
}

void Monitor::drop_connection() {
    connection_.reset();
    core_.routines.lost();
    for (Order* order : std::exchange(orders_, {})) order->done.set();
}

net::Task<Result<Answer>> Monitor::ask(std::string statement) {
    const auto lost = [] { return fail(2013, "08S01", "the gate has no standing connection to the server now"); };
    if (!connection_) co_return lost();
    Order order{.statement = std::move(statement), .done = net::Event(core_.loop)};
    orders_.push_back(&order);
    wake_.set();
    co_await order.done;
    if (!order.answer) co_return lost();
    co_return std::move(*order.answer);
}

net::Task<bool> Monitor::kill(std::string statement) {
    const Result<Answer> answer = co_await ask(std::move(statement));
    co_return answer.has_value();
}

net::Task<bool> Monitor::carry_out_orders() {
    while (!orders_.empty()) {
        Order* order = orders_.front();
        orders_.pop_front();
        Result<Answer> reply = co_await connection_->query(order->statement);
        const bool alive = reply.has_value();
        order->answer = std::move(reply);
        order->done.set();
        if (!alive) co_return false;
    }
    co_return true;
}

// Whoever has a seat counts as connected, though it may not be yet: then `counted` leaves out as many others. It never
// has too many of them, so of the last looks while seats were taken the one that found most is believed.
unsigned Monitor::others_of(unsigned counted) {
    if (core_.seats.taken() == 0) others_.clear();
    others_.push_back(counted);
    if (others_.size() > kOthersKept) others_.pop_front();
    return std::ranges::max(others_);
}

net::Task<bool> Monitor::look() {
    const Result<Answer> variables = co_await connection_->query(
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN "
        "('max_connections','max_user_connections','init_connect','character_set_collations','max_allowed_packet')");
    if (!variables) co_return false;
    budget::Learnt learnt;
    for (const auto& row : variables->rows()) {
        if (row.size() < 2 || !row[0]) continue;
        if (*row[0] == "max_connections") learnt.max_connections = number(row[1]);
        if (*row[0] == "max_user_connections") learnt.max_user_connections = number(row[1]);
        if (*row[0] == "character_set_collations" && row[1]) core_.upstream.set_default_collations(*row[1]);
        if (*row[0] == "max_allowed_packet") core_.upstream.set_max_packet(number(row[1]).value_or(~0U));
        if (*row[0] == "init_connect" && row[1]) core_.upstream.set_init_connect(std::string(*row[1]));
    }
    const Result<Answer> connected = co_await connection_->query("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
    if (!connected) co_return false;
    if (const auto rows = connected->rows(); !rows.empty() && rows[0].size() == 2) {
        if (const auto all = number(rows[0][1])) {
            const unsigned ours = core_.budget.open() + 1;  // and this one
            learnt.others = others_of(*all > ours ? *all - ours : 0);
        }
    }
    core_.budget.learn(learnt);
    core_.pool.budget_changed(core_.loop.now());
    co_return true;
}

// Accounts' own limits, and native password hashes. An account that may not read mysql.user sees none: then accounts
// are proved by logging in, and their limits are learnt from refusals.
net::Task<bool> Monitor::look_at_accounts() {
    const bool mariadb = core_.upstream.flavour() == protocol::Flavour::mariadb;
    const Result<Answer> users = co_await connection_->query(
        "SELECT User, Host, plugin, authentication_string, max_user_connections FROM mysql.user");
    if (!users) co_return false;
    if (users->outcome.error) {
        accounts_readable_ = false;
        log::info(
            "The monitor's account may not read mysql.user ({}): passwords are proved by logging in at the server, "
            "limits learnt "
            "from its refusals. GRANT SELECT ON mysql.user TO it to know them beforehand",
            users->error.message);
        co_return true;
    }
    std::vector<FetchedAccount> fetched;
    std::map<std::string, unsigned, std::less<>> limits;
    for (const auto& row : users->rows()) {
        if (row.size() < 5 || !row[0] || row[0]->empty()) continue;
        const std::string name(*row[0]);
        FetchedAccount account{.user = name,
                               .host = std::string(row[1].value_or("")),
                               .plugin = std::string(row[2].value_or("")),
                               .authentication_string = std::string(row[3].value_or(""))};
        if (mariadb && account.plugin.empty()) account.plugin = "mysql_native_password";
        fetched.push_back(std::move(account));
        const unsigned limit = number(row[4]).value_or(0);
        if (limit == 0) continue;
        const auto [at, added] = limits.try_emplace(name, limit);
        if (!added) at->second = std::min(at->second, limit);
    }
    core_.book.set_fetched(fetched, connection_->stream().peer().is_loopback());
    for (budget::AccountId id = 0; id < core_.accounts.size(); ++id) {
        const std::string& name = core_.accounts[id].name;
        const auto limit = limits.find(name);
        core_.budget.learn(id, {.max_user_connections = limit == limits.end() ? 0 : limit->second,
                                .others = name == core_.config.server.user ? 1U : 0U});
    }
    core_.pool.budget_changed(core_.loop.now());
    co_return true;
}

}  // namespace tidegate::proxy
