#include "fleet/jobs.h"

#include <gtest/gtest.h>

#include "fleet/command.h"
#include "fleet/journal.h"

namespace tidegate::fleet {
namespace {

const TimePoint kStart{};
constexpr Exit kAgain{.code = 75};

JobQueue queue_of(unsigned jobs, unsigned at_once, unsigned retries = 5) {
    JobQueue queue(at_once, retries);
    for (unsigned i = 1; i <= jobs; ++i) queue.add({.number = i, .line = std::to_string(i)});
    queue.no_more();
    return queue;
}

TEST(Jobs, RunSoManyAtOnceInOrder) {
    auto queue = queue_of(5, 2);
    EXPECT_EQ(queue.next(kStart)->job->line, "1");
    const auto second = queue.next(kStart);
    EXPECT_EQ(second->job->line, "2");
    EXPECT_EQ(second->place, 1U);
    EXPECT_FALSE(queue.next(kStart));
    EXPECT_EQ(queue.ended(0, {}, false, kStart), JobQueue::Fate::done);
    const auto third = queue.next(kStart);
    EXPECT_EQ(third->place, 0U);
    EXPECT_EQ(third->job->line, "3");
    EXPECT_FALSE(queue.finished());
}

TEST(Jobs, FinishWhenAllHaveEnded) {
    auto queue = queue_of(2, 8);
    (void)queue.next(kStart);
    (void)queue.next(kStart);
    EXPECT_EQ(queue.ended(1, Exit{.code = 3}, false, kStart), JobQueue::Fate::failed);
    EXPECT_FALSE(queue.complete());
    EXPECT_EQ(queue.ended(0, {}, false, kStart), JobQueue::Fate::done);
    EXPECT_TRUE(queue.complete());
    EXPECT_TRUE(queue.finished());
    EXPECT_EQ(queue.figures().done, 1U);
    EXPECT_EQ(queue.figures().failed, 1U);
}

TEST(Jobs, AreNotAllThereUntilTheListEnds) {
    JobQueue queue(1, 5);
    EXPECT_FALSE(queue.finished());
    queue.no_more();
    EXPECT_TRUE(queue.finished());
}

TEST(Jobs, AreTriedAgainFiveTimesLaterEachTime) {
    auto queue = queue_of(1, 1);
    TimePoint now = kStart;
    for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1000ms}) {
        ASSERT_TRUE(queue.next(now));
        EXPECT_EQ(queue.ended(0, kAgain, false, now), JobQueue::Fate::again);
        EXPECT_FALSE(queue.finished());
        EXPECT_FALSE(queue.next(now + pause - 1ms));
        now += pause;
    }
    EXPECT_EQ(queue.next(now)->job->attempt, 6U);
    EXPECT_EQ(queue.ended(0, kAgain, false, now), JobQueue::Fate::failed);
    EXPECT_EQ(queue.figures().retried, 5U);
    EXPECT_TRUE(queue.complete());
}

TEST(Jobs, OthersGoOnWhileOneWaitsForItsNextAttempt) {
    auto queue = queue_of(2, 1);
    (void)queue.next(kStart);
    (void)queue.ended(0, kAgain, false, kStart);
    EXPECT_EQ(queue.next(kStart)->job->line, "2");
    (void)queue.ended(0, {}, false, kStart + 1s);
    EXPECT_EQ(queue.next(kStart + 1s)->job->line, "1");
}

TEST(Jobs, OnlyTryAgainIsTriedAgain) {
    for (const Exit exit : {Exit{.code = 1}, Exit{.signal = 9}, Exit{.code = 74}}) {
        auto queue = queue_of(1, 1);
        (void)queue.next(kStart);
        EXPECT_EQ(queue.ended(0, exit, false, kStart), JobQueue::Fate::failed);
    }
    auto queue = queue_of(1, 1, 0);
    (void)queue.next(kStart);
    EXPECT_EQ(queue.ended(0, kAgain, false, kStart), JobQueue::Fate::failed) << "no retries were allowed";
}

TEST(Jobs, CutOffOnesAreNeitherDoneNorFailed) {
    auto queue = queue_of(3, 2);
    (void)queue.next(kStart);
    (void)queue.next(kStart);
    queue.stop();
    EXPECT_EQ(queue.ended(0, Exit{.signal = 15}, true, kStart), JobQueue::Fate::cut_off);
    EXPECT_FALSE(queue.finished());
    EXPECT_EQ(queue.ended(1, {}, true, kStart), JobQueue::Fate::done) << "it was quicker";
    EXPECT_FALSE(queue.next(kStart));
    EXPECT_TRUE(queue.finished());
    EXPECT_FALSE(queue.complete());
    EXPECT_EQ(queue.figures().waiting, 1U);
}

TEST(Commands, AreFilledIn) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(command_of_worker({"php", "w.php", "--id={id}", "{id}{id}", "{}"}, 7),
              (Words{"php", "w.php", "--id=7", "77", "{}"}));
    EXPECT_EQ(command_of_job({"php", "{}", "x{}y{id}"}, 3, "a b"), (Words{"php", "a b", "xa by3"}));
    EXPECT_EQ(command_of_job({"echo"}, 0, "a b"), (Words{"echo", "a b"}));
    EXPECT_EQ(command_of_job({"echo", "{}"}, 0, "{id}{}"), (Words{"echo", "{id}{}"})) << "what was filled in stays";
    EXPECT_EQ(command_of_job({"echo", "{"}, 0, ""), (Words{"echo", "{", ""}));
}

constexpr std::string_view kTwo =
    "tidegate-journal 1\n"
    "1 0 af63bc4c8601b62c\n"
    "2 137 af63bf4c8601bb45\n";

TEST(Journals, TellWhatIsFinished) {
    const auto journal = Journal::parse(kTwo);
    ASSERT_TRUE(journal);
    EXPECT_EQ(fingerprint("1"), 0xaf63ac4c86019afcU);
    EXPECT_EQ(journal->finished(), 1U);
    EXPECT_EQ(journal->whole(), kTwo.size());
    EXPECT_EQ(journal->look_up(3, "x"), Journal::Verdict::new_job);
    EXPECT_EQ(journal->look_up(1, "another"), Journal::Verdict::other_text);
}

TEST(Journals, KnowAJobByItsLine) {
    const std::string text(kJournalHead);
    const auto line = [](JobNumber n, int code, std::string_view job) {
        return std::to_string(n) + " " + std::to_string(code) + " " + [&] {
            char hex[20];
            std::snprintf(hex, sizeof hex, "%lx", fingerprint(job));
            return std::string(hex);
        }() + "\n";
    };
    auto journal = Journal::parse(text + line(1, 0, "one") + line(2, 1, "two") + line(3, 75, "three") +
                                  line(3, 0, "three") + line(4, 0, "four") + line(4, 9, "four"));
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_EQ(journal->look_up(1, "one"), Journal::Verdict::finished);
    EXPECT_EQ(journal->look_up(2, "two"), Journal::Verdict::new_job) << "it has failed";
    EXPECT_EQ(journal->look_up(3, "three"), Journal::Verdict::finished) << "its last line counts";
    EXPECT_EQ(journal->look_up(4, "four"), Journal::Verdict::new_job);
}

TEST(Journals, MayBeCutOffAnywhere) {
    for (std::size_t size = 0; size <= kTwo.size(); ++size) {
        const auto journal = Journal::parse(kTwo.substr(0, size));
        ASSERT_TRUE(journal) << size;
        const auto whole = size < kJournalHead.size() ? 0 : kTwo.substr(0, size).rfind('\n') + 1;
        EXPECT_EQ(journal->whole(), whole) << size;
    }
}

TEST(Journals, AreNoOtherFiles) {
    for (const std::string_view text :
         {"hello\n", "tidegate-journal 2\n1 0 1\n", "tidegate-journal 1\n1 0\n", "tidegate-journal 1\nx 0 1\n",
          "tidegate-journal 1\n1 0 1 \n", "tidegate-journal 1\n\n", "tidegate-journal 1\n1  0 1\n"}) {
        EXPECT_FALSE(Journal::parse(text)) << text;
    }
}

}  // namespace
}  // namespace tidegate::fleet
