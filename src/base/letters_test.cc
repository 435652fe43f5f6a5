#include "base/letters.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

TEST(Letters, AreLoweredOnlyInAscii) {
    EXPECT_EQ(lower("SELECT @Ab[`{_9"), "select @ab[`{_9");
    EXPECT_EQ(lower("\xC3\x84"), "\xC3\x84") << "no locale has a say";
    EXPECT_EQ(lower(""), "");
}

TEST(Letters, AreTheSameInAnyCase) {
    EXPECT_TRUE(same_letters("Web-1", "wEB-1"));
    EXPECT_FALSE(same_letters("web", "web1"));
    EXPECT_FALSE(same_letters("@", "`")) << "32 apart, and no letters";
    EXPECT_TRUE(same_letters("", ""));
}

}  // namespace
}  // namespace tidegate
