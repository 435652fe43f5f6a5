#include "base/secret.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tidegate {
namespace {

std::string text(const Secret& secret) {
    return {reinterpret_cast<const char*>(secret.bytes().data()), secret.size()};
}

TEST(Secret, HoldsItsBytesAndComparesThem) {
    const Secret a("correct horse");
    EXPECT_EQ(text(a), "correct horse");
    EXPECT_EQ(a, Secret("correct horse"));
    EXPECT_NE(a, Secret("correct horsf"));
    EXPECT_NE(a, Secret("correct hors"));
    EXPECT_TRUE(Secret().empty());
    EXPECT_EQ(Secret(), Secret(""));
}

TEST(Secret, MovesAndIsNeverCopied) {
    static_assert(!std::is_copy_constructible_v<Secret>);
    static_assert(!std::is_copy_assignable_v<Secret>);
    Secret a("one");
    Secret b(std::move(a));
    EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): a moved-from secret is empty
    EXPECT_EQ(text(b), "one");
    Secret c("two");
    c = std::move(b);
    EXPECT_EQ(text(c), "one");
    EXPECT_EQ(c.clone(), c);
}

TEST(Secret, IsWipedWhenItGoes) {
    // Small secrets share a region that stays mapped, so the slot can be looked at afterwards.
    const volatile std::byte* where = nullptr;
    {
        const Secret secret("0123456789abcdef");
        where = secret.bytes().data();
        EXPECT_TRUE(where[3] == std::byte{'3'});
    }
    for (int i = 0; i < 16; ++i) EXPECT_TRUE(where[i] == std::byte{0});
}

TEST(Secret, MayBeLargeOrMany) {
    const std::string large(100'000, 'x');
    EXPECT_EQ(text(Secret(large)), large);
    std::vector<Secret> many;
    for (int i = 0; i < 2000; ++i) many.emplace_back(std::to_string(i));  // more than the shared region holds
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(text(many[static_cast<std::size_t>(i)]), std::to_string(i));
}

}  // namespace
}  // namespace tidegate
