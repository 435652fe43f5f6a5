#include "protocol/reframer.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidegate::protocol {
namespace {

constexpr std::size_t kMax = kMaxPayload;

// The lengths of the new packets for a payload that came in packets of these lengths and gets so many bytes more.
// Before each of its headers is needed, as few of the old ones as possible have been seen.
std::vector<std::size_t> framed(const std::vector<std::size_t>& packets, std::size_t more) {
    Reframer frames;
    std::vector<std::size_t> lengths;
    std::size_t seen = 0;
    frames.announce(more, false);
    while (!frames.done()) {
        while (!frames.ready()) {
            frames.announce(packets.at(seen), packets[seen] < kMax);
            ++seen;
        }
        const Header header = frames.open();
        EXPECT_EQ(header.sequence, lengths.size());
        lengths.push_back(header.length);
        frames.sent(frames.room());
    }
    EXPECT_EQ(seen, packets.size());
    return lengths;
}

using Lengths = std::vector<std::size_t>;

TEST(Reframer, OnePacketGetsLonger) {
    EXPECT_EQ(framed({0}, 0), Lengths{0});
    EXPECT_EQ(framed({40000}, 21), Lengths{40021});
    EXPECT_EQ(framed({kMax - 22}, 21), Lengths{kMax - 1});
}

TEST(Reframer, AFullPacketIsContinued) {
    EXPECT_EQ(framed({kMax - 21}, 21), (Lengths{kMax, 0}));
    EXPECT_EQ(framed({kMax - 1}, 21), (Lengths{kMax, 20}));
    EXPECT_EQ(framed({kMax, 0}, 21), (Lengths{kMax, 21}));
    EXPECT_EQ(framed({kMax, kMax, 100}, 21), (Lengths{kMax, kMax, 121}));
    EXPECT_EQ(framed({kMax, kMax - 1}, 21), (Lengths{kMax, kMax, 20}));
    EXPECT_EQ(framed({kMax, kMax - 21}, 21), (Lengths{kMax, kMax, 0}));
}

TEST(Reframer, AHeaderWaitsUntilItsLengthIsKnown) {
    Reframer frames;
    frames.announce(kMax + 10, false);
    EXPECT_TRUE(frames.ready());
    EXPECT_EQ(frames.open().length, kMax);
    frames.sent(kMax);
    EXPECT_FALSE(frames.ready()) << "ten bytes, or ten and as many as the next packet has";
    EXPECT_FALSE(frames.done());
    frames.announce(5, true);
    EXPECT_EQ(frames.open().length, 15U);
    frames.sent(14);
    EXPECT_EQ(frames.room(), 1U);
    EXPECT_FALSE(frames.done());
    frames.sent(1);
    EXPECT_TRUE(frames.done());
}

}  // namespace
}  // namespace tidegate::protocol
