// The pool against a real server: sessions, ends, deadlines, closing.
#include <atomic>
#include <filesystem>
#include <thread>

#include "fixture.h"

namespace tidegate {
namespace {

class PoolTest : public LibraryTest {};

TEST_F(PoolTest, SaysWhetherTheServerIsThere) {
    EXPECT_TRUE(make().test_connection().has_value());
    auto wrong = make([](Options& o) { o.password = "guessed-in-vain"; });
    const auto denied = wrong.test_connection(20s);
    EXPECT_EQ(denied.error().code, 1045);  // at once: no waiting helps
    EXPECT_EQ(denied.error().message.find("guessed"), std::string::npos) << denied.error().message;
    EXPECT_THAT(denied.error().message, HasSubstr("cannot connect to 127.0.0.1:"));
    auto schema = make([](Options& o) { o.schema = "app_no_such"; });
    EXPECT_EQ(schema.test_connection(20s).error().code, 1049);
}

TEST_F(PoolTest, NobodyThereIsTriedUntilTheDeadline) {
    auto pool = make([](Options& o) { o.port = 1; });
    const auto error = pool.acquire(1s).error();
    EXPECT_EQ(error.code, 1040);
    EXPECT_THAT(error.message, ContainsRegex("within [0-9.]+ s: the last attempt to open one failed with 200"));
    EXPECT_GE(pool.stats().failed, 2U);
}

TEST_F(PoolTest, ARefusedConnectionIsWaitedFor) {
    auto admin = make(1);
    const auto user = "few_" + options().schema;
    must(admin.query("CREATE USER " + user + " IDENTIFIED BY 'few-secret' WITH MAX_USER_CONNECTIONS 1"));
    const auto few = [&](Options& o) {
        o.user = user;
        o.password = "few-secret";
        o.schema = "";
    };
    {
        auto other = make(few);
        auto lease = must(other.acquire());
        auto pool = make(few);
        std::string said;
        const auto why = [&] {
            return said.find("the last attempt to open one failed with 1226") != std::string::npos;
        };
        for (int tries = 0; tries < 100 && !why(); ++tries) said = pool.acquire(250ms).error().message;
        EXPECT_TRUE(why()) << said;
        EXPECT_GE(pool.stats().refused, 1U);
        std::thread giver([&] {
            while (pool.stats().waiting == 0) std::this_thread::yield();
            lease.discard();
        });
        EXPECT_EQ(pool.acquire(60s).has_value(), true);
        giver.join();
        EXPECT_EQ(pool.stats().last_error, "");
    }
    must(admin.query("DROP USER " + user));
}

TEST_F(PoolTest, SpeaksUtf8) {
    auto pool = make();
    auto lease = must(pool.acquire());
    EXPECT_EQ(cell<std::string>(lease, "SELECT @@character_set_client"), "utf8mb4");
    EXPECT_EQ(cell<std::string>(lease, "SELECT @@character_set_results"), "utf8mb4");
    EXPECT_EQ(cell<int>(lease, "SELECT CHAR_LENGTH('🐘')"), 1);
}

TEST_F(PoolTest, NothingOfASessionIsLeftForTheNext) {
    auto pool = make(1);
    std::uint64_t id = 0;
    {
        auto lease = must(pool.acquire());
        id = lease.connection_id();
        must(lease.query("CREATE TABLE account (id INT PRIMARY KEY, balance INT) ENGINE=InnoDB"));
        must(lease.query("SET @secret = 42, SESSION sql_mode = 'ANSI_QUOTES', SESSION wait_timeout = 77"));
        must(lease.query("SET NAMES latin1"));
        must(lease.query("CREATE TEMPORARY TABLE mine (a INT)"));
        must(lease.query("SELECT GET_LOCK('library_test', 5)"));
        must(lease.query("USE information_schema"));
    }
    auto lease = must(pool.acquire());
    EXPECT_EQ(lease.connection_id(), id);
    EXPECT_EQ(cell<std::optional<int>>(lease, "SELECT @secret"), std::nullopt);
    EXPECT_EQ(cell<std::string>(lease, "SELECT @@sql_mode").find("ANSI_QUOTES"), std::string::npos);
    EXPECT_NE(cell<int>(lease, "SELECT @@wait_timeout"), 77);
    EXPECT_EQ(cell<std::string>(lease, "SELECT @@character_set_client"), "utf8mb4");
    EXPECT_EQ(cell<int>(lease, "SELECT CHAR_LENGTH('🐘')"), 1);
    EXPECT_EQ(cell<std::string>(lease, "SELECT DATABASE()"), options().schema);
    EXPECT_EQ(lease.query("SELECT * FROM mine").error().code, 1146);
    EXPECT_EQ(cell<int>(lease, "SELECT IS_FREE_LOCK('library_test')"), 1);
    EXPECT_EQ(pool.stats().reset, 1U);
    must(lease.query("INSERT INTO account VALUES (1, 10)"));
    lease.release();
    lease = must(pool.acquire());
    EXPECT_EQ(cell<int>(lease, "SELECT COUNT(*) FROM account"), 1);
    must(lease.execute("UPDATE account SET balance = ?", 11));
    must(lease.query("DROP TABLE account"));
    lease.release();
    EXPECT_EQ(pool.stats().reset, 2U) << "GET_LOCK's neighbour was one; plain statements leave nothing to reset";
}

TEST_F(PoolTest, ATransactionIsRolledBackUnlessCommitted) {
    auto pool = make(2);
    auto lease = must(pool.acquire());
    must(lease.query("CREATE TABLE ledger (id INT PRIMARY KEY) ENGINE=InnoDB"));
    const auto count = [&] { return must(must(pool.query("SELECT COUNT(*) FROM ledger")).front().get<int>(0)); };
    {
        auto transaction = must(lease.begin({.isolation = Isolation::read_committed}));
        must(lease.query("INSERT INTO ledger VALUES (1)"));
        EXPECT_TRUE(transaction.open());
    }
    EXPECT_EQ(count(), 0);
    {
        auto transaction = must(lease.begin());
        must(lease.query("INSERT INTO ledger VALUES (2)"));
        auto moved = std::move(transaction);
        must(moved.commit());
        EXPECT_FALSE(moved.open());
        EXPECT_EQ(moved.commit().error().code, error_code::gone);
    }
    EXPECT_EQ(count(), 1);
    auto transaction = must(lease.begin());
    must(lease.query("INSERT INTO ledger VALUES (3)"));
    lease.release();  // with the transaction open
    EXPECT_FALSE(transaction.open());
    EXPECT_EQ(count(), 1);
    lease = must(pool.acquire());
    EXPECT_EQ(transaction.commit().error().code, error_code::gone) << "the connection is another lease's by now";
    auto read_only = must(lease.begin({.read_only = true}));
    EXPECT_EQ(lease.query("INSERT INTO ledger VALUES (4)").error().code, 1792);
    must(read_only.rollback());
    must(lease.query("DROP TABLE ledger"));
}

TEST_F(PoolTest, AConnectionThatDiedAtRestIsReplacedBeforeUse) {
    auto pool = make([](Options& o) { o.check_after = 0ms; });
    auto admin = make(1);
    const auto id = must(pool.acquire()).connection_id();
    must(admin.query("KILL " + std::to_string(id)));
    auto lease = must(pool.acquire());
    EXPECT_EQ(cell<int>(lease, "SELECT 1"), 1);
    EXPECT_NE(lease.connection_id(), id);
}

TEST_F(PoolTest, AConnectionThatDiedWhileLentIsReplacedWhenNothingIsLost) {
    auto pool = make();
    auto lease = must(pool.acquire());
    const auto id = lease.connection_id();
    end(pool, lease);
    EXPECT_EQ(cell<int>(lease, "SELECT 1"), 1);
    EXPECT_NE(lease.connection_id(), id);
    EXPECT_THAT(notices.wait_for(Notice::Kind::lost).message, HasSubstr("the lease goes on with another"));

    auto transaction = must(lease.begin());
    end(pool, lease);
    EXPECT_EQ(lease.query("SELECT 1").error().code, error_code::gone);
    EXPECT_EQ(transaction.commit().error().code, error_code::gone);
    lease.release();
    lease = must(pool.acquire());
    EXPECT_EQ(cell<int>(lease, "SELECT 1"), 1);
    EXPECT_EQ(pool.stats().lost, 2U);
}

TEST_F(PoolTest, AStatementUnderWayIsNeverRunAgain) {
    auto pool = make();
    auto lease = must(pool.acquire());
    must(lease.query("CREATE TABLE once (a INT) ENGINE=InnoDB"));
    const auto id = lease.connection_id();
    Error error;
    std::thread sender([&] { error = lease.query("INSERT INTO once SELECT SLEEP(30)").error(); });
    auto other = must(pool.acquire());
    const auto running =
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO once%' AND ID = " +
        std::to_string(id);
    while (cell<int>(other, running) == 0) std::this_thread::yield();
    must(other.query("KILL " + std::to_string(id)));
    sender.join();
    EXPECT_TRUE(is_connection_lost(error)) << error.code << error.message;
    EXPECT_LE(cell<int>(other, "SELECT COUNT(*) FROM once"), 1);  // MySQL ends the SLEEP and keeps the row
    must(other.query("DROP TABLE once"));
}

TEST_F(PoolTest, AServerThatSaysNothingIsGivenUp) {
    auto pool = make([](Options& o) { o.read_timeout = 1s; });
    auto lease = must(pool.acquire());
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(is_connection_lost(lease.query("DO SLEEP(20)").error()));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 15s);
}

TEST_F(PoolTest, TheLimitHoldsUnderManyThreads) {
    auto pool = make(4);
    std::atomic<int> held = 0;
    std::atomic<int> most = 0;
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 25; ++j) {
                auto lease = must(pool.acquire(60s));
                const int now = ++held;
                for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                }
                must(lease.execute("SELECT ?", j));
                --held;
                ++done;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(done, 16 * 25);
    EXPECT_LE(most, 4);
    const auto stats = pool.stats();
    EXPECT_LE(stats.peak, 4U);
    EXPECT_EQ(stats.acquired, 16U * 25U);
    EXPECT_LE(stats.opened, 4U);
}

TEST_F(PoolTest, AnAcquireEndsAtItsDeadlineAndSaysWhoHolds) {
    auto pool = make(1);
    const auto lease = must(pool.acquire());
    const auto error = pool.acquire(50ms).error();
    EXPECT_EQ(error.code, 1040);
    EXPECT_THAT(error.message, HasSubstr("one lease is out, taken at pool_test.cc:"));
}

TEST_F(PoolTest, ALeaseHeldTooLongIsReported) {
    auto pool = make([](Options& o) { o.lease_warning = 1ms; });
    const auto line = std::source_location::current().line() + 1;
    const auto lease = must(pool.acquire());
    EXPECT_EQ(notices.wait_for(Notice::Kind::lease_held).where.line(), line);
}

TEST_F(PoolTest, IdleConnectionsAreClosed) {
    auto pool = make([](Options& o) { o.idle_timeout = 1ms; });
    must(pool.query("SELECT 1"));
    while (pool.stats().open > 0) std::this_thread::yield();
    EXPECT_EQ(pool.stats().lost, 0U);
}

TEST_F(PoolTest, ClosingWaitsForLeasesAndRefusesTheRest) {
    auto pool = make(1);
    auto lease = must(pool.acquire());
    std::thread waiter([&] { EXPECT_EQ(pool.acquire(60s).error().code, error_code::pool_closed); });
    while (pool.stats().waiting == 0) std::this_thread::yield();
    EXPECT_THAT(pool.close(10ms).error().message, HasSubstr("is closed, but one lease is out, taken at pool_test.cc:"));
    waiter.join();
    EXPECT_EQ(cell<int>(lease, "SELECT 1"), 1);  // it works on
    std::thread giver([mine = std::move(lease)]() mutable { mine.release(); });
    EXPECT_TRUE(pool.close(60s).has_value());
    giver.join();
    EXPECT_EQ(pool.stats().open, 0U);
    EXPECT_EQ(pool.acquire().error().code, error_code::pool_closed);
}

TEST_F(PoolTest, ALeaseMayOutliveItsPool) {
    Lease lease;
    {
        auto pool = make();
        lease = must(pool.acquire());
    }
    EXPECT_EQ(cell<int>(lease, "SELECT 1"), 1);
}

TEST_F(PoolTest, PoolsThatHoldSlotsStayUnderOneLimit) {
    const auto folder = testing::TempDir() + "/tidegate-slots-" + options().schema;
    const auto with_slots = [&](Options& o) {
        o.max_connections = 3;
        o.slots = "library";
        o.slots_max = 2;
        o.slots_folder = folder;
    };
    auto one = make(with_slots);
    auto two = make(with_slots);
    auto first = must(one.acquire());
    auto second = must(two.acquire());
    EXPECT_EQ(one.acquire(200ms).error().code, 1040);
    std::thread giver([&] {
        while (one.stats().waiting == 0) std::this_thread::yield();
        second.discard();  // closed, and its slot free
    });
    auto third = must(one.acquire(60s));
    giver.join();
    EXPECT_EQ(cell<int>(third, "SELECT 1"), 1);
    // A connection that died gives its slot back before the lease gets another.
    auto admin = make(1);
    end(admin, third);
    EXPECT_EQ(cell<int>(third, "SELECT 1"), 1);
    third.discard();
    first.discard();
    must(two.close(60s));
    std::filesystem::remove_all(folder);
}

TEST_F(PoolTest, TheSharedPoolIsOne) {
    auto* first = must(shared_pool());
    EXPECT_EQ(first, must(shared_pool()));
    EXPECT_EQ(must(must(first->query("SELECT 7")).front().get<int>(0)), 7);
    EXPECT_EQ(first->stats().max, 2U) << "DB_CONNECTION_LIMIT";
}

}  // namespace
}  // namespace tidegate
