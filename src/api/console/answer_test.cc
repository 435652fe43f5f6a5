#include "api/console/answer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "api/console/desk.h"

namespace tidegate::api::console {
namespace {

using protocol::TextTable;
using proxy::ConsoleAnswer;
using proxy::ConsoleDone;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class AConsole : public testing::Test {
protected:
    AConsole() {
        sources.gate = [this] { return gate; };
        sources.clients = [this] { return clients; };
        sources.connections = [this] { return connections; };
        sources.settings = [] {
            return std::vector<config::Setting>{{"[pool] wait_timeout", "5s", "30s"},
                                                {"[[user]] shop: mode", "session"}};
        };
        sources.slots = [this] { return pools; };
        sources.fleets = [this] { return fleets; };
        sources.pause = [this] { return order("pause"); };
        sources.resume = [this] { return order("resume"); };
        sources.reload = [this] { return order("reload"); };
        sources.kill = [this](std::uint32_t id, bool query) {
            return order((query ? "kill query " : "kill ") + std::to_string(id));
        };
        gate.version = "9.9";
        gate.accounts = {
            {.name = "shop", .mode = "transaction", .pool = {.max = 10, .open = 3, .active = 2}, .clients = 40}};
        gate.pool.open = 3;
        clients.clients = {
            {.id = 8,
             .user = "shop",
             .address = "10.0.0.7:1",
             .program = {},
             .state = "waiting",
             .since = 1500ms,
             .held_by = "none",
             .pins = {}},
            {.id = 7,
             .user = "shop",
             .address = "localhost",
             .pid = 42,
             .program = "import\n\xFF.php",
             .state = "holding",
             .since = 2s,
             .server_connection = 11,
             .held_by = "pinned",
             .pins = {{.name = "named_lock", .statement = "SELECT GET_LOCK(?, ..)", .age = 7s, .advice = "release it"},
                      {.name = "handler", .statement = "", .age = 8s, .advice = "close it"}}}};
        connections = {{.id = 12, .account = {}, .state = "watching"},
                       {.id = 11, .account = "shop", .state = "active", .since = 2s, .client = 7}};
    }

    Result<void> order(std::string what) {
        orders.push_back(std::move(what));
        if (refuse) return fail(1053, "08S01", "the gate is stopping");
        return {};
    }
    ConsoleAnswer ask(std::string text) {
        return answer({.text = std::move(text), .client = 9, .user = "monitor", .host = "10.0.0.5"}, sources);
    }
    TextTable table(const std::string& text) {
        auto said = ask(text);
        if (const auto* error = std::get_if<Error>(&said)) ADD_FAILURE() << text << ": " << error->message;
        auto* found = std::get_if<TextTable>(&said);
        if (found == nullptr) return {};
        EXPECT_FALSE(found->columns.empty());
        for (const auto& row : found->rows) EXPECT_EQ(row.size(), found->columns.size()) << text;
        return std::move(*found);
    }
    // The cell of the row whose first text is this.
    static std::string cell(const TextTable& table, std::string_view row, std::string_view column) {
        const auto at = std::ranges::find(table.columns, column, &TextTable::Column::name) - table.columns.begin();
        for (const auto& each : table.rows) {
            if (std::ranges::find(each, TextTable::Cell(std::string(row))) != each.end())
                return each.at(static_cast<std::size_t>(at)).value_or("NULL");
        }
        return "(no row)";
    }
    Error error(const std::string& text) {
        const auto said = ask(text);
        const auto* found = std::get_if<Error>(&said);
        EXPECT_NE(found, nullptr) << text;
        return found != nullptr ? *found : Error{};
    }
    std::string done(const std::string& text) {
        const auto said = ask(text);
        EXPECT_TRUE(std::holds_alternative<ConsoleDone>(said)) << text;
        return std::holds_alternative<ConsoleDone>(said) ? std::get<ConsoleDone>(said).what : "";
    }

    Sources sources;
    proxy::Snapshot gate;
    proxy::Clients clients;
    std::vector<proxy::ServerConnectionView> connections;
    std::vector<slots::PoolView> pools;
    std::vector<fleet::FleetView> fleets;
    std::vector<std::string> orders;
    bool refuse = false;
};

TEST_F(AConsole, ShowsPools) {
    const auto pools = table("SHOW POOLS");
    EXPECT_EQ(cell(pools, "shop", "clients"), "40");
    EXPECT_EQ(cell(pools, "shop", "limit"), "10");
    EXPECT_EQ(cell(pools, "shop", "oldest_wait"), "1.500");
    EXPECT_EQ(cell(pools, "(all)", "open"), "3");
    EXPECT_EQ(cell(pools, "(all)", "mode"), "");
    gate.paused = true;
    EXPECT_EQ(cell(table("SHOW POOLS"), "(all)", "mode"), "paused");
}

TEST_F(AConsole, ShowsClientsWithTheirPins) {
    const auto shown = table("SHOW CLIENTS");
    ASSERT_EQ(shown.rows.size(), 2U);
    EXPECT_EQ(shown.rows[0][0], "7");  // by id
    EXPECT_EQ(cell(shown, "7", "pins"),
              "named_lock (7 s): SELECT GET_LOCK(?, ..); release it | handler (8 s): statement not known; close it");
    EXPECT_EQ(cell(shown, "7", "program"), "import ?.php");  // fit for a terminal
    EXPECT_EQ(cell(shown, "7", "server_connection"), "11");
    EXPECT_EQ(cell(shown, "8", "server_connection"), "NULL");
    EXPECT_EQ(cell(shown, "8", "pins"), "NULL");
}

TEST_F(AConsole, ShowsServers) {
    const auto shown = table("SHOW SERVERS");
    EXPECT_EQ(cell(shown, "11", "client"), "7");
    EXPECT_EQ(cell(shown, "11", "seconds"), "2.000");
    EXPECT_EQ(cell(shown, "12", "state"), "watching");
    EXPECT_EQ(cell(shown, "12", "account"), "NULL");
}

TEST_F(AConsole, ShowsFigures) {
    gate.client_ends = {{"quit", 5}};
    EXPECT_EQ(cell(table("SHOW STATS"), "clients.ended.quit", "value"), "5");
    gate.server.state = proxy::ServerState::down;
    gate.server.last_error = "no route";
    gate.limit.effective = 97;
    const auto server = table("SHOW SERVER");
    EXPECT_EQ(cell(server, "state", "value"), "down");
    EXPECT_EQ(cell(server, "last_error", "value"), "no route");
    EXPECT_EQ(cell(server, "limit", "value"), "97");
    EXPECT_EQ(cell(server, "limit.configured", "value"), "NULL");
    EXPECT_EQ(cell(table("SHOW CONFIG"), "[pool] wait_timeout", "default"), "30s");
    EXPECT_EQ(cell(table("SHOW CONFIG"), "[[user]] shop: mode", "default"), "NULL");
    EXPECT_EQ(cell(table("SHOW VERSION"), "Tidegate 9.9", "server_version"), "NULL");
}

TEST_F(AConsole, ShowsSlotsAndFleets) {
    EXPECT_TRUE(table("SHOW SLOTS").rows.empty());
    EXPECT_TRUE(table("SHOW WORKERS").rows.empty());
    pools.push_back({.name = "jobs", .gate = true, .ledger = slots::Ledger(2)});
    slots::Process process;
    process.pid = 4711;
    process.set_command("php import.php");
    const TimePoint now = Clock::now();
    for (int i = 0; i < 3; ++i) pools[0].ledger.join({.since = now, .deadline = now + 1h, .who = process}, now);
    while (const auto next = pools[0].ledger.next()) pools[0].ledger.take(*next, slots::HeldBy::lock, now);
    const auto slots = table("SHOW SLOTS");
    EXPECT_EQ(cell(slots, "jobs", "active"), "2");
    EXPECT_EQ(cell(slots, "jobs", "waiting"), "1");
    const auto holders = table("SHOW HOLDERS");
    ASSERT_EQ(holders.rows.size(), 3U);
    EXPECT_EQ(cell(holders, "holds", "command"), "php import.php");
    EXPECT_EQ(cell(holders, "waits", "pid"), "4711");
    EXPECT_EQ(cell(holders, "waits", "slot"), "NULL");

    fleet::FleetView view{.name = "mail",
                          .state = fleet::FleetState::given_up,
                          .why = "all ended",
                          .figures = {},
                          .workers = {},
                          .logs = {}};
    view.figures.failed = 3;
    fleet::Worker worker;
    worker.state = fleet::WorkerState::running;
    worker.jobs = 12;
    view.workers.push_back({.worker = worker, .pid = 815});
    fleets.push_back(view);
    EXPECT_EQ(cell(table("SHOW FLEETS"), "mail", "state"), "given up");
    EXPECT_EQ(cell(table("SHOW FLEETS"), "mail", "failed"), "3");
    EXPECT_EQ(cell(table("SHOW WORKERS"), "mail", "pid"), "815");
    EXPECT_EQ(cell(table("SHOW WORKERS"), "mail", "jobs"), "12");
}

TEST_F(AConsole, ChoosesByThePattern) {
    gate.accounts.push_back({.name = "report", .mode = "session", .pool = {}});
    EXPECT_EQ(table("SHOW POOLS LIKE 'sh%'").rows.size(), 1U);
    EXPECT_EQ(table("SHOW CLIENTS LIKE 'nobody'").rows.size(), 0U);
    EXPECT_EQ(table("SHOW CONFIG LIKE '[pool]%'").rows.size(), 1U);
    EXPECT_EQ(table("SHOW VARIABLES LIKE 'lower_case_table_names'").rows.size(), 1U);
}

TEST_F(AConsole, TellsWhatThereIs) {
    const auto help = table("SHOW HELP");
    const auto all = table("HELP");
    EXPECT_EQ(help.rows, all.rows);
    for (const char* text : {"SHOW POOLS", "SHOW WORKERS", "PAUSE", "RELOAD", "KILL QUERY id"})
        EXPECT_NE(cell(help, text, "what"), "(no row)") << text;
    // Each of them works.
    for (const auto& row : help.rows) {
        if (row[0]->starts_with("SHOW")) (void)table(*row[0]);
    }
    EXPECT_THAT(error("SHOW POOL").message, AllOf(HasSubstr("no SHOW POOL;"), HasSubstr("POOLS, CLIENTS")));
    EXPECT_EQ(error("SELECT * FROM clients").code, 1064);
    EXPECT_THAT(error("x\x1B[2J\xFF").message, Not(HasSubstr("\x1B")));
    const std::string long_error = error("SHOW \xFF" + std::string(50'000, 'x')).message;
    EXPECT_LE(long_error.size(), 500U);
    EXPECT_THAT(long_error, Not(HasSubstr("\xFF")));
}

TEST_F(AConsole, AnswersWhatClientsAskByThemselves) {
    const auto row = table("SELECT DATABASE(), USER(), CONNECTION_ID(), 'x', NULL, @@autocommit AS a LIMIT 1");
    EXPECT_THAT(row.rows, ElementsAre(ElementsAre("tidegate", "monitor@10.0.0.5", "9", "x", std::nullopt, "1")));
    EXPECT_EQ(row.columns[5].name, "a");
    EXPECT_THAT(*table("select @@version_comment limit 1").rows[0][0], HasSubstr("console"));
    EXPECT_EQ(*table("SELECT VERSION()").rows[0][0], TIDEGATE_VERSION "-tidegate");
    gate.server.version = "10.11.6-MariaDB";
    EXPECT_EQ(*table("SELECT @@version").rows[0][0], "10.11.6-MariaDB-tidegate");
    EXPECT_EQ(error("SELECT @@no_such").code, 1193);
    EXPECT_EQ(error("SELECT NOW()").code, 1305);
    EXPECT_EQ(*table("SHOW DATABASES").rows[0][0], "tidegate");
    EXPECT_EQ(table("SHOW TABLES LIKE 'pools'").rows.size(), 1U);
    EXPECT_TRUE(table("SHOW WARNINGS").rows.empty());
    EXPECT_EQ(table("SHOW FULL PROCESSLIST").rows.size(), 2U);
    EXPECT_EQ(done("SET NAMES utf8mb4"), "");
    EXPECT_EQ(done("USE tidegate"), "");
    EXPECT_EQ(error("USE shop").code, 1049);
}

TEST_F(AConsole, PassesOrdersOn) {
    EXPECT_THAT(done("PAUSE"), HasSubstr("RESUME"));
    EXPECT_EQ(done("RESUME"), "Resumed");
    EXPECT_EQ(done("RELOAD"), "Reloaded");
    (void)done("KILL 7");
    (void)done("KILL QUERY 7");
    EXPECT_THAT(orders, ElementsAre("pause", "resume", "reload", "kill 7", "kill query 7"));
    refuse = true;
    EXPECT_EQ(error("PAUSE").code, 1053);
    EXPECT_EQ(error("KILL 7").message, "the gate is stopping");
}

TEST_F(AConsole, HasADeskThatAnswersEveryoneInTurn) {
    std::vector<std::promise<std::string>> said(3);
    {
        Desk desk(sources);
        for (std::size_t i = 0; i < said.size(); ++i) {
            desk.ask({.text = fmt::format("SELECT {}", i), .client = 9, .user = "monitor", .host = "x"},
                     [&said, i](ConsoleAnswer answer) { said[i].set_value(*std::get<TextTable>(answer).rows[0][0]); });
        }
    }  // closing it leaves nobody without an answer
    for (std::size_t i = 0; i < said.size(); ++i) EXPECT_EQ(said[i].get_future().get(), std::to_string(i));
}

}  // namespace
}  // namespace tidegate::api::console
