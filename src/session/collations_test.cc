#include "session/collations.h"

#include <gtest/gtest.h>

namespace tidegate::session {
namespace {

Collations of_a_server() {
    Collations all;
    all.add(8, {"latin1", "latin1_swedish_ci"});
    all.add(45, {"utf8mb4", "utf8mb4_general_ci"});
    all.add(224, {"utf8mb4", "utf8mb4_unicode_ci"});
    all.mark_compiled_in(8);
    all.mark_compiled_in(45);
    all.mark_compiled_in(999);
    return all;
}

TEST(Collations, ByTheirId) {
    const Collations all = of_a_server();
    ASSERT_NE(all.at_login(45), nullptr);
    EXPECT_EQ(*all.at_login(45), (Collation{"utf8mb4", "utf8mb4_general_ci"}));
    EXPECT_EQ(all.at_login(255), nullptr);
    EXPECT_EQ(all.at_login(999), nullptr);
}

// MariaDB 11.8: measured with its own setting, and with latin1=latin1_german1_ci.
TEST(Collations, OnlyTheOneThatWasCompiledInIsReplaced) {
    Collations all = of_a_server();
    all.set_defaults("utf8mb3=utf8mb3_uca1400_ai_ci,utf8mb4=utf8mb4_uca1400_ai_ci");
    EXPECT_EQ(all.at_login(45)->name, "utf8mb4_uca1400_ai_ci");
    EXPECT_EQ(all.at_login(45)->charset, "utf8mb4");
    EXPECT_EQ(all.at_login(224)->name, "utf8mb4_unicode_ci");
    EXPECT_EQ(all.at_login(8)->name, "latin1_swedish_ci");
    all.set_defaults("latin1=latin1_german1_ci");
    EXPECT_EQ(all.at_login(8)->name, "latin1_german1_ci");
    EXPECT_EQ(all.at_login(45)->name, "utf8mb4_general_ci");
    all.set_defaults("");
    EXPECT_EQ(all.at_login(8)->name, "latin1_swedish_ci");
}

TEST(Collations, AServerThatDoesNotListen) {
    Collations all = of_a_server();
    all.ignore_logins();
    EXPECT_EQ(all.at_login(45), nullptr);
}

}  // namespace
}  // namespace tidegate::session
