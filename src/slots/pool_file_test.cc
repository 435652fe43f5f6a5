// A pool's file that somebody has written rubbish into: it is refused, or what it says can be counted with.
#include "slots/pool_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "slots/slot.h"

namespace tidegate::slots {
namespace {

using testing::HasSubstr;

class RubbishTest : public testing::Test {
protected:
    PoolFile file{"rubbish.slots", Descriptor(memfd_create("slots", MFD_CLOEXEC))};

    void write(const std::vector<unsigned char>& bytes, off_t at) const {
        ASSERT_EQ(pwrite(file.fd(), bytes.data(), bytes.size(), at), static_cast<ssize_t>(bytes.size()));
    }
    // A head that is as it should be.
    void write_head(unsigned char size, unsigned char holders, unsigned char waiters) const {
        write({'T', 'I', 'D', 'E', 'S', 'L', 'O', 'T', 1, 0, 0, 0, size, 0, 0, 0, holders, 0, 0, 0, waiters, 0, 0, 0},
              0);
    }
};

TEST_F(RubbishTest, InTheHeadIsRefusedByName) {
    write(std::vector<unsigned char>(5000, 0x5A), 0);
    const auto ledger = file.load(3);
    ASSERT_FALSE(ledger);
    EXPECT_THAT(ledger.error().message, HasSubstr("rubbish.slots is not a slots' file of this version"));
    write_head(3, 0, 0);
    write({0xFF, 0xFF, 0xFF}, 12);  // 16 million slots
    EXPECT_FALSE(file.load(3));
}

TEST_F(RubbishTest, InTheRecordsCanBeCountedWithAndIsClearedAway) {
    for (const int each : {0x41, 0x7F, 0x80, 0xFF, 0x0A}) {
        const auto rubbish = static_cast<unsigned char>(each);
        write_head(3, 3, 2);
        write(std::vector<unsigned char>(1024, rubbish), 24);
        write(std::vector<unsigned char>(4096, rubbish), 4096);
        write(std::vector<unsigned char>(4096, rubbish), off_t{16} << 20);
        auto ledger = file.load(3);
        ASSERT_TRUE(ledger) << ledger.error().message;
        const TimePoint now = Clock::now();
        EXPECT_EQ(ledger->totals().granted, 0U);
        EXPECT_EQ(ledger->active(), 3U);
        for (const Holder& holder : ledger->holders()) {
            EXPECT_LE(holder.since, now);
            EXPECT_GE(holder.waited, Duration::zero());
            EXPECT_TRUE(std::ranges::none_of(holder.who.command(), is_control));
        }
        ASSERT_EQ(ledger->waiting(), 1U) << "two of the same place in the line are one";
        EXPECT_LT(ledger->line().front().ticket, 2U);
        EXPECT_EQ(file.reap(*ledger, now), 3U);
        EXPECT_EQ(ledger->active(), 0U);
    }
}

TEST_F(RubbishTest, CannotFreeASlotThatIsHeld) {
    auto other = file.again();
    ASSERT_TRUE(other && other->try_slot(0));
    write_head(1, 1, 0);
    write(std::vector<unsigned char>(512, 0xFF), 4096);
    auto ledger = file.load(1);
    ASSERT_TRUE(ledger);
    EXPECT_EQ(file.reap(*ledger, Clock::now()), 0U);
    EXPECT_FALSE(ledger->next());
    EXPECT_FALSE(file.try_slot(0));
}

TEST(Slots, AreHeldOnceWhereverTheyAreMovedTo) {
    PoolFile file{"a.slots", Descriptor(memfd_create("slots", MFD_CLOEXEC))};
    auto own = file.again();
    ASSERT_TRUE(own && own->try_slot(0));
    Slot first("a", 0, std::move(*own), {});
    Slot second(std::move(first));
    EXPECT_FALSE(first.held());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    EXPECT_TRUE(second.held());
    EXPECT_TRUE(file.is_taken(0));
    second.give_back();
    EXPECT_FALSE(file.is_taken(0));
}

}  // namespace
}  // namespace tidegate::slots
