// What those are told who get nothing, and who is told so at once.
#include "pool/test_stage.h"

namespace tidegate::pool {
namespace {

class RefusalTest : public Stage {
protected:
    RefusalTest() : Stage({.wait_timeout = 5s, .max_waiting = 500}, {.max_connections = 2, .opening_at_once = 4}) {}

    // The line moves: everybody holds its connection so long and asks again, for so long.
    void work(Duration hold, Duration for_all) {
        for (Duration passed{}; passed < for_all; passed += hold) {
            tick(hold);
            auto holders = leases;
            for (const Lease& lease : holders) {
                release(*lease.request);
                if (lease.request->wait_timeout == 0s) lease.request->wait_timeout = 1h;
                ask(*lease.request);
            }
        }
    }
};

TEST_F(RefusalTest, ItSaysHowLongForWhatAndWhatHoldsIt) {
    served();
    now += 7s;
    served({.account = 1});
    Request& waits = asking({.account = 1});
    for (int i = 0; i < 50; ++i) tick(100ms);
    ASSERT_NE(refusal_of(waits), nullptr);
    const Error& error = *refusal_of(waits);
    EXPECT_EQ(error.code, 1040);
    EXPECT_EQ(error.sqlstate, "08004");
    for (const char* part : {"waited 5.0 s", "'cron'", "2 open, 2 of them active", "limit 2",
                             "All connections are in use", "lasted 12.0 s (account 'web')"}) {
        EXPECT_TRUE(error.message.contains(part)) << part << " in: " << error.message;
    }
}

TEST_F(RefusalTest, ItNamesTheAccountsOwnLimit) {
    budget.learn(1, {.max_user_connections = 1});
    served({.account = 1});
    Request& waits = asking({.account = 1});
    for (int i = 0; i < 50; ++i) tick(100ms);
    ASSERT_NE(refusal_of(waits), nullptr);
    EXPECT_TRUE(refusal_of(waits)->message.contains("max_user_connections")) << refusal_of(waits)->message;
}

TEST_F(RefusalTest, ItNamesAServerThatIsAway) {
    Request& waits = asking();
    fail_one(OpenFailure::unreachable, {.code = 2002, .message = "connection refused by 127.0.0.1:3306"});
    for (int i = 0; i < 50; ++i) {
        tick(100ms);
        while (!opens.empty()) fail_one(OpenFailure::unreachable, {.code = 2002, .message = "connection refused by x"});
    }
    ASSERT_NE(refusal_of(waits), nullptr);
    EXPECT_TRUE(refusal_of(waits)->message.contains("cannot be reached: connection refused"))
        << refusal_of(waits)->message;
}

TEST_F(RefusalTest, AFullLineRefusesTheNewest) {
    served();
    served();
    for (int i = 0; i < 500; ++i) EXPECT_EQ(ask(client()), Acquired::waiting);
    EXPECT_EQ(ask(client()), Acquired::refused);
    EXPECT_EQ(last.error.code, 1040);
    EXPECT_TRUE(last.error.message.contains("the line is full")) << last.error.message;
    EXPECT_EQ(pool.waiting(), 500U);
    EXPECT_EQ(pool.stats(now).all.refused, 1U);
}

TEST_F(RefusalTest, ALineThatCannotBeServedInTimeIsRefusedAtItsEndAtOnce) {
    for (int i = 0; i < 300; ++i) {
        Request& request = client();
        request.wait_timeout = 1h;
        ask(request);
    }
    open_all();
    work(100ms, 10s);  // twenty a second: 15 s for three hundred
    Request& hopeless = client();
    EXPECT_EQ(ask(hopeless), Acquired::refused);
    EXPECT_TRUE(last.error.message.contains("its turn would come in about 15 s and it may wait 5 s"))
        << last.error.message;
    Request& patient = client();
    patient.wait_timeout = 8s;
    EXPECT_EQ(ask(patient), Acquired::waiting) << "less than twice too long: it may come out";
    Request& urgent = client({}, 0);
    EXPECT_EQ(urgent.rank, 0U);
    Request& other_account = client({.account = 2});
    EXPECT_EQ(ask(other_account), Acquired::waiting) << "nobody of its account waits";
}

TEST_F(RefusalTest, NobodyIsRefusedForAGuess) {
    for (int i = 0; i < 300; ++i) {
        Request& request = client();
        request.wait_timeout = 1h;
        ask(request);
    }
    open_all();
    work(100ms, 3s);
    EXPECT_EQ(ask(client()), Acquired::waiting) << "not measured long enough";
    work(100ms, 7s);
    EXPECT_EQ(ask(client()), Acquired::refused);
    lose(*leases.front().request);
    fail_one(OpenFailure::unreachable);
    EXPECT_EQ(ask(client()), Acquired::waiting) << "the server is being restarted";
}

TEST_F(RefusalTest, ANewLimitMakesWhatWasMeasuredVoid) {
    for (int i = 0; i < 300; ++i) {
        Request& request = client();
        request.wait_timeout = 1h;
        ask(request);
    }
    open_all();
    work(100ms, 10s);
    budget.set_options({.max_connections = 3});
    pool.budget_changed(now);
    EXPECT_EQ(ask(client()), Acquired::waiting);
}

}  // namespace
}  // namespace tidegate::pool
