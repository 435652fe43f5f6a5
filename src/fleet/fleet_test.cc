#include "fleet/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace tidegate::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The processes of a fleet as a test has them: started ones run until the test says otherwise.
class Stage : public Actions {
public:
    explicit Stage(Policy policy) : fleet(policy, *this, 42) { fleet.tick(now); }

    void start(const Worker& worker) override {
        ASSERT_FALSE(running.contains(worker.id)) << "two processes of worker " << worker.id;
        running.insert(worker.id);
        ++starts[worker.id];
        started_at.push_back(now);
    }
    void terminate(const Worker& worker) override { terminated.push_back(worker.id); }
    void kill(const Worker& worker) override { killed.push_back(worker.id); }
    bool heeds_sigterm(const Worker&) override { return heeds; }
    void batch_started(const Batch& batch) override {
        batches.push_back(batch.name() + ": " + ranges_of(batch.workers));
    }
    void batch_over(const Batch& batch) override { over.push_back(batch.name()); }
    void say(Level, const std::string& sentence) override { said.push_back(sentence); }

    void pass(Duration time) {
        for (const TimePoint end = now + time; now < end;) {
            now += 50ms;
            fleet.tick(now);
        }
    }
    void end(WorkerId id, Exit exit = {}) {
        running.erase(id);
        fleet.exited(id, exit, now);
    }
    // Ends whoever was asked to.
    void obey() {
        auto asked = std::exchange(terminated, {});
        for (const WorkerId id : std::exchange(killed, {})) asked.push_back(id);
        for (const WorkerId id : asked) end(id, Exit{.signal = 15});
    }
    [[nodiscard]] const Worker& worker(WorkerId id) const { return fleet.workers()[id]; }

    TimePoint now{};
    bool heeds = true;
    std::set<WorkerId> running;
    std::map<WorkerId, unsigned> starts;
    std::vector<TimePoint> started_at;
    std::vector<WorkerId> terminated;
    std::vector<WorkerId> killed;
    std::vector<std::string> batches;
    std::vector<std::string> over;
    std::vector<std::string> said;
    Fleet fleet;
};

Policy of(unsigned workers, Restart restart = Restart::on_failure) {
    Policy policy;
    policy.workers = workers;
    policy.restart = restart;
    return policy;
}

constexpr Exit kFailure{.code = 1};

TEST(FleetBatches, AreStartedWithAPauseBetween) {
    Stage stage(of(1000));
    EXPECT_THAT(stage.batches, ElementsAre("Batch 1/7: 0-149"));
    stage.pass(1950ms);
    EXPECT_EQ(stage.running.size(), 150U);
    stage.pass(50ms);
    EXPECT_EQ(stage.running.size(), 300U);
    EXPECT_THAT(stage.over, ElementsAre("Batch 1/7"));
    stage.pass(10s);
    EXPECT_EQ(stage.running.size(), 1000U);
    EXPECT_EQ(stage.batches.back(), "Batch 7/7: 900-999");
    stage.pass(2s);
    EXPECT_EQ(stage.over.size(), 7U);
}

TEST(FleetBatches, WorkersThatEndMakeNoRoomInThePause) {
    Stage stage(of(300));
    for (WorkerId id = 0; id < 150; ++id) stage.end(id);
    stage.pass(1950ms);
    EXPECT_THAT(stage.running, IsEmpty());
    stage.pass(50ms);
    EXPECT_EQ(stage.running.size(), 150U);
}

// Whatever fails and is started again: never more than a batch within the pause.
TEST(FleetBatches, RestartsCountToo) {
    Policy policy = of(40, Restart::always);
    policy.batch = 10;
    policy.crash_limit = 1000;
    Stage stage(policy);
    for (int i = 0; i < 2000; ++i) {
        stage.pass(50ms);
        if (i % 3 != 0) continue;
        const auto running = stage.running;
        for (const WorkerId id : running) {
            if ((id + static_cast<unsigned>(i)) % 7 == 0) stage.end(id, kFailure);
        }
    }
    const auto& at = stage.started_at;
    ASSERT_GT(at.size(), 200U);
    for (std::size_t i = 10; i < at.size(); ++i) EXPECT_GE(at[i] - at[i - 10], policy.batch_delay) << i;
}

TEST(FleetBatches, OnTheirOwnAreAsLargeAsTheRoom) {
    Policy policy = of(100);
    policy.batch = 0;
    Stage stage(policy);
    stage.pass(5s);
    EXPECT_THAT(stage.running, IsEmpty());
    stage.fleet.room(30, stage.now);
    EXPECT_EQ(stage.running.size(), 30U);
    stage.pass(5s);
    EXPECT_EQ(stage.running.size(), 30U) << "room is used once";
    stage.fleet.room(0, stage.now);
    stage.fleet.room(200, stage.now);
    EXPECT_EQ(stage.running.size(), 100U);
    EXPECT_THAT(stage.batches, ElementsAre("Batch 1: 0-29", "Batch 2: 30-99"));
}

TEST(FleetBatches, RoomThatWasNotUsedIsNotKept) {
    Policy policy = of(10, Restart::always);
    policy.batch = 0;
    Stage stage(policy);
    stage.fleet.room(100, stage.now);
    stage.fleet.room(1, stage.now);
    for (WorkerId id = 0; id < 10; ++id) stage.end(id, kFailure);
    stage.pass(3s);
    EXPECT_EQ(stage.running.size(), 1U);
}

TEST(FleetLife, OneThatEndsWellIsDone) {
    Stage stage(of(2));
    stage.end(0);
    stage.end(1);
    stage.pass(100s);
    EXPECT_TRUE(stage.fleet.finished());
    EXPECT_EQ(stage.fleet.figures().done, 2U);
    EXPECT_EQ(stage.starts[0], 1U);
}

TEST(FleetLife, NeverIsNever) {
    Stage stage(of(2, Restart::never));
    stage.end(0);
    stage.end(1, kFailure);
    stage.pass(100s);
    EXPECT_TRUE(stage.fleet.finished());
    EXPECT_EQ(stage.fleet.figures().failed, 1U);
    EXPECT_EQ(stage.starts[1], 1U);
    EXPECT_THAT(stage.said.back(), HasSubstr("Worker 1 ended with exit code 1"));
}

TEST(FleetLife, AlwaysStartsAgainAtOnceWhoeverDidSomething) {
    Stage stage(of(1, Restart::always));
    stage.fleet.job(0, true, stage.now);
    stage.end(0);
    EXPECT_EQ(stage.starts[0], 2U);
    stage.pass(11s);
    stage.end(0);
    EXPECT_EQ(stage.starts[0], 3U) << "it had lived for long";
    stage.end(0);
    EXPECT_EQ(stage.starts[0], 3U) << "it did nothing: no tight loop of starts";
    stage.pass(2s);
    EXPECT_EQ(stage.starts[0], 4U);
}

TEST(FleetLife, FailuresAreStartedAgainLaterEachTime) {
    Policy policy = of(2);
    policy.crash_limit = 100;
    Stage stage(policy);
    stage.fleet.ready(1);
    Duration before{};
    for (int i = 0; i < 6; ++i) {
        const TimePoint ended = stage.now;
        stage.end(0, kFailure);
        while (!stage.running.contains(0)) stage.pass(50ms);
        const Duration rested = stage.now - ended;
        const Duration expected = 1s * (1 << i);
        EXPECT_GE(rested, expected * 8 / 10) << i;
        EXPECT_LE(rested, expected * 12 / 10 + 50ms) << i;
        EXPECT_GT(rested, before) << i;
        before = rested;
    }
    stage.pass(11s);  // long enough: the next failure is a first one
    const TimePoint ended = stage.now;
    stage.end(0, kFailure);
    while (!stage.running.contains(0)) stage.pass(50ms);
    EXPECT_LE(stage.now - ended, 1250ms);
}

TEST(FleetLife, TheDelayHasAnEnd) {
    Policy policy = of(2);
    policy.crash_limit = 1000;
    Stage stage(policy);
    stage.fleet.ready(1);
    for (int i = 0; i < 20; ++i) {
        const TimePoint ended = stage.now;
        stage.end(0, kFailure);
        while (!stage.running.contains(0)) stage.pass(50ms);
        EXPECT_LE(stage.now - ended, 72s + 50ms);
    }
}

TEST(FleetCrashLoop, OneWorkerIsGivenUp) {
    Stage stage(of(10));
    for (WorkerId id = 1; id < 10; ++id) stage.fleet.ready(id);
    for (int i = 0; i < 5; ++i) {
        while (!stage.running.contains(0)) stage.pass(50ms);
        stage.end(0, kFailure);
    }
    EXPECT_EQ(stage.worker(0).state, WorkerState::failed);
    EXPECT_THAT(stage.said.back(), HasSubstr("Worker 0 is given up: it ended 5 times in a row"));
    EXPECT_EQ(stage.fleet.verdict(), "");
    stage.pass(200s);
    EXPECT_EQ(stage.starts[0], 5U);
    EXPECT_EQ(stage.running.size(), 9U);
}

TEST(FleetCrashLoop, TheWholeFleetEndsWithAVerdict) {
    Stage stage(of(50, Restart::always));
    for (int i = 0; i < 2000 && !stage.fleet.finished(); ++i) {
        const auto running = stage.running;
        for (const WorkerId id : running) stage.end(id, kFailure);
        stage.pass(50ms);
    }
    EXPECT_TRUE(stage.fleet.finished());
    EXPECT_THAT(stage.fleet.verdict(), HasSubstr("Crash loop: the last 20 starts"));
    EXPECT_THAT(stage.fleet.verdict(), HasSubstr("exit code 1"));
}

TEST(FleetCrashLoop, IsNoneWhileOthersWork) {
    Policy policy = of(3, Restart::always);
    policy.crash_limit = 3;
    Stage stage(policy);
    for (int i = 0; i < 200; ++i) {
        stage.fleet.job(2, true, stage.now);
        for (const WorkerId id : {0U, 1U}) {
            if (stage.running.contains(id)) stage.end(id, kFailure);
        }
        stage.pass(100ms);
    }
    EXPECT_EQ(stage.fleet.verdict(), "");
    EXPECT_TRUE(stage.running.contains(2));
}

TEST(FleetCrashLoop, FailuresLaterInLifeAreNone) {
    Stage stage(of(2, Restart::always));
    for (int i = 0; i < 30; ++i) {
        stage.pass(11s);
        for (const WorkerId id : std::set(stage.running)) stage.end(id, kFailure);
        stage.pass(2s);
    }
    EXPECT_EQ(stage.fleet.verdict(), "");
    EXPECT_EQ(stage.running.size(), 2U);
}

TEST(FleetStopping, SigtermThenGraceThenSigkill) {
    Stage stage(of(3));
    stage.fleet.drain(stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(0, 1, 2));
    stage.end(0);
    stage.pass(29950ms);
    EXPECT_THAT(stage.killed, IsEmpty());
    stage.pass(50ms);
    EXPECT_THAT(stage.killed, ElementsAre(1, 2));
    stage.pass(10s);
    EXPECT_THAT(stage.killed, ElementsAre(1, 2)) << "once is enough";
    stage.obey();
    EXPECT_TRUE(stage.fleet.finished());
    EXPECT_EQ(stage.fleet.figures().killed, 2U);
}

TEST(FleetStopping, StartsNobodyAnyMore) {
    Policy policy = of(300, Restart::always);
    Stage stage(policy);
    stage.end(5, kFailure);
    stage.fleet.drain(stage.now);
    stage.obey();
    stage.pass(100s);
    EXPECT_TRUE(stage.fleet.finished());
    EXPECT_THAT(stage.running, IsEmpty());
    EXPECT_EQ(stage.starts.size(), 150U);
}

TEST(FleetStopping, OneThatSigtermWouldCutOffEndsItsJobFirst) {
    Stage stage(of(2));
    stage.heeds = false;
    stage.fleet.drain(stage.now);
    EXPECT_THAT(stage.terminated, IsEmpty());
    EXPECT_EQ(stage.worker(0).state, WorkerState::finishing);
    stage.pass(5s);
    stage.fleet.job(0, true, stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(0)) << "at once, and not at the next tick: the next job is near";
    stage.fleet.idle(1);
    EXPECT_THAT(stage.terminated, ElementsAre(0, 1));
}

TEST(FleetStopping, OneThatNeverEndsItsJobIsKilledAtTheEndOfTheGrace) {
    Stage stage(of(1));
    stage.heeds = false;
    stage.fleet.drain(stage.now);
    stage.pass(30s);
    EXPECT_THAT(stage.terminated, IsEmpty());
    EXPECT_THAT(stage.killed, ElementsAre(0));
}

TEST(FleetStopping, IdleMeansNothingToOneThatNobodyStops) {
    Stage stage(of(1));
    stage.fleet.idle(0);
    EXPECT_THAT(stage.terminated, IsEmpty());
    EXPECT_EQ(stage.worker(0).state, WorkerState::running);
}

TEST(FleetStopping, ASecondWordCutsOff) {
    Stage stage(of(3));
    stage.fleet.drain(stage.now);
    stage.end(1);
    stage.fleet.cut_off();
    EXPECT_THAT(stage.killed, ElementsAre(0, 2));
}

TEST(FleetRecycling, ByJobsWithJitter) {
    Policy policy = of(100, Restart::always);
    policy.max_jobs = 100;
    Stage stage(policy);
    std::set<std::uint64_t> limits;
    for (const auto& worker : stage.fleet.workers()) {
        EXPECT_GE(worker.job_limit, 80U);
        EXPECT_LE(worker.job_limit, 100U);
        limits.insert(worker.job_limit);
    }
    EXPECT_GT(limits.size(), 10U);
    const auto limit = stage.worker(7).job_limit;
    for (std::uint64_t i = 0; i + 1 < limit; ++i) stage.fleet.job(7, true, stage.now);
    EXPECT_THAT(stage.terminated, IsEmpty());
    stage.fleet.job(7, true, stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(7));
    stage.obey();
    EXPECT_EQ(stage.starts[7], 2U);
    EXPECT_EQ(stage.fleet.figures().recycled, 1U);
    EXPECT_EQ(stage.fleet.figures().crashes, 0U);
    EXPECT_EQ(stage.worker(7).jobs, 0U);
}

TEST(FleetRecycling, ByJobsTheWorkerThatDoesNotHeedSigtermEndsAtTheJobsEnd) {
    Policy policy = of(2, Restart::always);
    policy.max_jobs = 1;
    Stage stage(policy);
    stage.heeds = false;
    stage.fleet.job(0, true, stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(0));
}

TEST(FleetRecycling, ByTimeTheWorkerThatDoesNotHeedSigtermWaitsForAJobsEnd) {
    Policy policy = of(1, Restart::always);
    policy.max_time = 60s;
    Stage stage(policy);
    stage.heeds = false;
    stage.pass(61s);
    EXPECT_EQ(stage.worker(0).state, WorkerState::finishing);
    EXPECT_THAT(stage.terminated, IsEmpty());
    stage.fleet.job(0, true, stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(0));
}

TEST(FleetRecycling, ByTimeNeverAllAtOnce) {
    Policy policy = of(50, Restart::always);
    policy.max_time = 60s;
    Stage stage(policy);
    std::size_t least = 50;
    Duration first{};
    for (int i = 0; i < 20 * 300; ++i) {
        stage.pass(50ms);
        if (i % 20 == 0) stage.obey();  // each takes up to a second to end
        if (first == Duration{} && !stage.terminated.empty()) first = stage.now - TimePoint{};
        least = std::min(least, stage.running.size());
    }
    EXPECT_GE(least, 45U);
    EXPECT_GE(first, 48s);
    EXPECT_LE(first, 60s);
    EXPECT_GE(stage.fleet.figures().recycled, 50U * 4);
    EXPECT_EQ(stage.fleet.figures().killed, 0U);
}

TEST(FleetRecycling, TheNextIsReplacedWhenTheSuccessorHasDoneAJob) {
    Policy policy = of(2, Restart::always);
    policy.max_jobs = 1;
    Stage stage(policy);
    stage.fleet.job(0, true, stage.now);
    stage.fleet.job(1, true, stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(0)) << "one at once";
    stage.obey();
    stage.pass(50ms);
    EXPECT_THAT(stage.terminated, IsEmpty()) << "its successor has done nothing yet";
    stage.fleet.job(0, true, stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(0)) << "its limit is one job";
    stage.obey();
    stage.fleet.job(1, true, stage.now);
    EXPECT_THAT(stage.terminated, IsEmpty());
    stage.pass(4900ms);
    EXPECT_THAT(stage.terminated, IsEmpty());
    stage.pass(100ms);
    EXPECT_THAT(stage.terminated, ElementsAre(1)) << "the successor of the first has settled";
}

TEST(FleetRecycling, ByMemory) {
    Policy policy = of(1, Restart::always);
    policy.max_rss = 100;
    Stage stage(policy);
    stage.fleet.rss(0, 100, stage.now);
    stage.pass(1s);
    EXPECT_THAT(stage.terminated, IsEmpty());
    stage.fleet.rss(0, 101, stage.now);
    stage.pass(50ms);
    EXPECT_THAT(stage.terminated, ElementsAre(0));
    EXPECT_THAT(stage.said.back(), HasSubstr("it has grown too large"));
}

TEST(FleetRecycling, ReplacesAlsoWhereNobodyIsStartedAgain) {
    Policy policy = of(1, Restart::never);
    policy.max_jobs = 1;
    Stage stage(policy);
    stage.fleet.job(0, true, stage.now);
    stage.obey();
    EXPECT_EQ(stage.starts[0], 2U);
}

TEST(FleetRolling, ReplacesAllAFewAtATime) {
    Stage stage(of(30));
    stage.fleet.roll(stage.now);
    std::size_t most = 0;
    while (stage.fleet.rolling() || stage.running.size() < 30 || !stage.terminated.empty()) {
        most = std::max(most, stage.terminated.size());
        stage.obey();
        stage.pass(50ms);
    }
    EXPECT_EQ(most, 3U);
    for (WorkerId id = 0; id < 30; ++id) EXPECT_EQ(stage.starts[id], 2U) << id;
    EXPECT_GE(stage.now - TimePoint{}, 9s) << "successors are given a second to come up";
}

TEST(FleetRolling, GoesOnWhenSuccessorsSayReady) {
    Stage stage(of(30));
    stage.fleet.ready(0);
    stage.fleet.roll(stage.now);
    while (stage.fleet.rolling()) {
        stage.obey();
        for (WorkerId id = 0; id < 30; ++id) {
            if (stage.starts[id] == 2) stage.fleet.ready(id);
        }
        stage.pass(50ms);
    }
    EXPECT_LE(stage.now - TimePoint{}, 2s);
}

TEST(FleetRolling, WaitsForAWordFromSuccessorsThatUsuallySayIt) {
    Stage stage(of(2));
    stage.fleet.ready(0);
    stage.fleet.roll(stage.now);
    stage.obey();
    stage.pass(20s);
    EXPECT_EQ(stage.starts[0], 2U);
    EXPECT_EQ(stage.starts[1], 1U);
    stage.fleet.ready(0);
    stage.pass(100ms);
    EXPECT_THAT(stage.terminated, ElementsAre(1));
}

TEST(FleetRolling, StopsWhenASuccessorFails) {
    Stage stage(of(10));
    stage.fleet.roll(stage.now);
    stage.obey();
    stage.end(0, kFailure);
    EXPECT_FALSE(stage.fleet.rolling());
    EXPECT_THAT(stage.said[stage.said.size() - 2], HasSubstr("The roll-over stops at worker 0"));
    stage.pass(100s);
    for (WorkerId id = 1; id < 10; ++id) EXPECT_EQ(stage.starts[id], 1U) << id;
}

TEST(FleetRolling, GivesThoseThatWereGivenUpAnotherChance) {
    Stage stage(of(2));
    stage.fleet.ready(1);
    for (int i = 0; i < 5; ++i) {
        while (!stage.running.contains(0)) stage.pass(50ms);
        stage.end(0, kFailure);
    }
    ASSERT_EQ(stage.worker(0).state, WorkerState::failed);
    stage.fleet.roll(stage.now);
    stage.pass(50ms);
    EXPECT_TRUE(stage.running.contains(0));
}

TEST(FleetScaling, UpAndDown) {
    Stage stage(of(3, Restart::always));
    stage.fleet.scale(5, stage.now);
    EXPECT_EQ(stage.running.size(), 5U);
    stage.fleet.scale(2, stage.now);
    EXPECT_THAT(stage.terminated, ElementsAre(2, 3, 4));
    stage.obey();
    EXPECT_EQ(stage.fleet.workers().size(), 2U);
    stage.pass(100s);
    EXPECT_EQ(stage.running.size(), 2U);
    EXPECT_EQ(stage.fleet.figures().recycled, 0U);
}

TEST(FleetScaling, UpAgainWhileTheOldOnesEnd) {
    Stage stage(of(3));
    stage.fleet.scale(1, stage.now);
    stage.fleet.scale(3, stage.now);
    stage.obey();
    EXPECT_EQ(stage.running.size(), 3U);
    for (const WorkerId id : {1U, 2U}) EXPECT_EQ(stage.starts[id], 2U);
}

TEST(FleetScaling, ToNothing) {
    Stage stage(of(2, Restart::always));
    stage.fleet.scale(0, stage.now);
    stage.obey();
    EXPECT_TRUE(stage.fleet.finished());
}

TEST(FleetScaling, UpWhileBatchesAreStillStarted) {
    Policy policy = of(4);
    policy.batch = 2;
    Stage stage(policy);
    stage.fleet.scale(6, stage.now);
    EXPECT_EQ(stage.running.size(), 2U);
    stage.pass(4s);
    EXPECT_EQ(stage.running.size(), 6U);
}

TEST(FleetEvents, AboutNobodyAreIgnored) {
    Stage stage(of(1));
    stage.fleet.ready(9);
    stage.fleet.job(9, true, stage.now);
    stage.fleet.idle(9);
    stage.fleet.rss(9, 1, stage.now);
    stage.fleet.status(9, "x");
    stage.fleet.exited(9, {}, stage.now);
    stage.end(0);
    stage.fleet.exited(0, kFailure, stage.now);
    EXPECT_EQ(stage.fleet.figures().crashes, 0U);
    EXPECT_TRUE(stage.fleet.finished());
}

TEST(FleetFigures, CountWhatHappened) {
    Stage stage(of(3));
    stage.fleet.job(0, true, stage.now);
    stage.fleet.job(0, false, stage.now);
    stage.fleet.status(0, "at order 7");
    stage.end(1, kFailure);
    stage.end(2);
    const auto figures = stage.fleet.figures();
    EXPECT_EQ(figures.jobs_done, 1U);
    EXPECT_EQ(figures.jobs_failed, 1U);
    EXPECT_EQ(figures.text(), "1 running, 1 done, 0 failed, 1 to be started again");
    EXPECT_EQ(stage.worker(0).status, "at order 7");
}

TEST(FleetGivingUp, EndsWithTheVerdict) {
    Stage stage(of(2));
    stage.fleet.give_up("there is no such program", stage.now);
    stage.obey();
    EXPECT_TRUE(stage.fleet.finished());
    EXPECT_EQ(stage.fleet.verdict(), "there is no such program");
}

TEST(Ranges, AreShort) {
    EXPECT_EQ(ranges_of(std::vector<WorkerId>{}), "");
    EXPECT_EQ(ranges_of(std::vector<WorkerId>{3}), "3");
    EXPECT_EQ(ranges_of(std::vector<WorkerId>{0, 1, 2, 5, 7, 8}), "0-2, 5, 7-8");
}

}  // namespace
}  // namespace tidegate::fleet
