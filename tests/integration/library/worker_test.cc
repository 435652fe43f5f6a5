// A worker on a real job table.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "fixture.h"

namespace tidegate {
namespace {

struct Job {
    Transaction claim;
    int id;
};

class WorkerTest : public LibraryTest {
protected:
    WorkerTest() {
        must(pool.query(
            "CREATE TABLE job (id INT PRIMARY KEY, state VARCHAR(10) NOT NULL DEFAULT 'queued', runs INT DEFAULT 0) "
            "ENGINE=InnoDB"));
    }
    ~WorkerTest() override { (void)pool.query("DROP TABLE job"); }

    void queue(int count) {
        for (int i = 1; i <= count; ++i) must(pool.execute("INSERT INTO job (id) VALUES (?)", i));
    }
    std::string states() {
        const auto rows =
            must(pool.query("SELECT CONCAT(state, '=', COUNT(*)) FROM job GROUP BY state ORDER BY state"));
        std::string text;
        for (const Row row : rows) text += row.get<std::string>(0).value() + " ";
        return text;
    }

    static Result<std::optional<Job>> take(Lease& lease) {
        auto claim = lease.begin();
        if (!claim) return std::unexpected(claim.error());
        auto next = lease.query("SELECT id FROM job WHERE state = 'queued' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED");
        if (!next) return std::unexpected(next.error());
        if (next->empty()) return std::nullopt;
        return Job{std::move(*claim), next->front().get<int>(0).value()};
    }
    static Result<void> finish(Lease& lease, Job& job) {
        auto done = lease.execute("UPDATE job SET state = 'done', runs = runs + 1 WHERE id = ?", job.id);
        if (!done) return std::unexpected(done.error());
        return job.claim.commit();
    }

    Pool pool = make(4);
    WorkerOptions quick{
        .max_jobs = 0, .rest = std::chrono::milliseconds(20), .stop_on_signals = false, .on_failure = [](auto&) {}};
};

TEST_F(WorkerTest, SeveralDoEachJobOnceAndHoldNothingAtRest) {
    queue(60);
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::thread> threads;
    std::vector<WorkerEnd> ends(3);
    workers.reserve(ends.size());
    for (auto& end : ends) {
        Worker& worker = *workers.emplace_back(std::make_unique<Worker>(pool, quick));
        threads.emplace_back([&] { end = worker.run(take, finish); });
    }
    while (states() != "done=60 ") std::this_thread::yield();
    while (pool.stats().lent > 0) std::this_thread::yield();
    for (auto& worker : workers) worker->stop();
    for (auto& thread : threads) thread.join();
    std::uint64_t done = 0;
    for (const auto& end : ends) {
        EXPECT_EQ(end.reason, WorkerEnd::Reason::stopped);
        done += end.done;
    }
    EXPECT_EQ(done, 60U);
    EXPECT_EQ(must(must(pool.query("SELECT MAX(runs) FROM job")).front().get<int>(0)), 1);
}

TEST_F(WorkerTest, AFailedJobIsRolledBackAndTheLeaseGivenBack) {
    queue(1);
    quick.max_jobs = 3;
    Worker worker(pool, quick);
    const auto end = worker.run(take, [&](Lease& lease, Job& job) -> Result<void> {
        must(lease.execute("UPDATE job SET state = 'half' WHERE id = ?", job.id));
        return std::unexpected(Error{.message = "no more paper"});
    });
    EXPECT_EQ(end.reason, WorkerEnd::Reason::max_jobs);
    EXPECT_EQ(end.failed, 3U);
    EXPECT_EQ(end.last_error.message, "no more paper");
    EXPECT_EQ(states(), "queued=1 ");
    EXPECT_EQ(pool.stats().lent, 0U);
}

TEST_F(WorkerTest, GivesUpWhenNoJobCanBeTaken) {
    quick.give_up_after = 2;
    Worker worker(pool, quick);
    const auto end = worker.run(
        [](Lease& lease) -> Result<std::optional<Job>> {
            return std::unexpected(lease.query("SELECT * FROM no_such_table").error());
        },
        finish);
    EXPECT_EQ(end.reason, WorkerEnd::Reason::gave_up);
    EXPECT_EQ(end.last_error.code, 1146);
}

TEST_F(WorkerTest, IsReplacedItsConnectionWithoutKnowing) {
    queue(2);
    quick.max_jobs = 2;
    Worker worker(pool, quick);
    auto killed = false;
    const auto end = worker.run(take, [&](Lease& lease, Job& job) -> Result<void> {
        if (!std::exchange(killed, true)) LibraryTest::end(pool, lease);
        return finish(lease, job);
    });
    EXPECT_EQ(end.failed, 1U);
    EXPECT_EQ(end.done, 1U);
    EXPECT_EQ(states(), "done=1 queued=1 ");
}

TEST_F(WorkerTest, FinishesTheJobInHandOnSigterm) {
    queue(2);
    quick.stop_on_signals = true;
    Worker worker(pool, quick);
    const auto end = worker.run(take, [&](Lease& lease, Job& job) -> Result<void> {
        kill(getpid(), SIGTERM);
        must(lease.query("DO SLEEP(0.2)"));
        return finish(lease, job);
    });
    EXPECT_EQ(end.reason, WorkerEnd::Reason::stopped);
    EXPECT_EQ(end.done, 1U);
    EXPECT_EQ(states(), "done=1 queued=1 ");
}

TEST_F(WorkerTest, StopsAtOnceWhenItWaitsForAConnection) {
    auto small = make(1);
    auto lease = must(small.acquire());
    Worker worker(small, quick);
    std::thread stopper([&] {
        while (small.stats().waiting == 0) std::this_thread::yield();
        worker.stop();
    });
    EXPECT_EQ(worker.run(take, finish).reason, WorkerEnd::Reason::stopped);
    stopper.join();
}

TEST_F(WorkerTest, TellsItsSupervisor) {
    queue(1);
    const auto path = "/tmp/tidegate-notify-" + std::to_string(getpid());
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    quick.max_jobs = 1;
    Worker(pool, quick).run(take, finish);
    unsetenv("NOTIFY_SOCKET");
    unlink(path.c_str());
    for (const auto* expected : {"READY=1", "JOB=1\nSTATUS=1 done, 0 failed", "STOPPING=1"}) {
        char text[200];
        const auto size = recv(fd, text, sizeof(text), MSG_DONTWAIT);
        EXPECT_EQ(std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0), expected);
    }
    close(fd);
}

using PoolSignalTest = LibraryTest;

TEST_F(PoolSignalTest, ClosesInOrderAndThenEndsAsEver) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            auto wanted = options();
            auto pool = must(Pool::create(std::move(wanted)));
            pool.close_on_signals(100ms);
            const auto lease = must(pool.acquire());
            kill(getpid(), SIGTERM);
            (void)pool.close(60s);
            for (;;) pause();
        },
        testing::KilledBySignal(SIGTERM), "is closed, but one lease is out, taken at worker_test.cc");
}

}  // namespace
}  // namespace tidegate
