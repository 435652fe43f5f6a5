// The registry, and that a server that is well is left in peace.
#include "watch/doctor/checks.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "watch/doctor/doctor_testing.h"

namespace tidegate::watch::doctor {
namespace {

std::string read(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Checks, AHealthyServerIsLeftInPeace) {
    for (const auto& finding : diagnose(healthy())) {
        EXPECT_EQ(finding.severity, Severity::info) << finding.id << ": " << finding.title;
    }
}

TEST(Checks, AServerThatTellsNothingIsLeftInPeace) {
    Looks looks;
    looks.second.taken = looks.first.taken + std::chrono::seconds(5);
    for (const auto& finding : diagnose(looks)) EXPECT_EQ(finding.severity, Severity::info) << finding.id;
}

TEST(Checks, EveryIdIsPlainAndItsOwn) {
    std::set<std::string_view> ids;
    for (const auto& check : checks()) {
        EXPECT_TRUE(std::regex_match(std::string(check.id), std::regex("[a-z]+(-[a-z]+)*"))) << check.id;
        EXPECT_TRUE(ids.insert(check.id).second) << check.id;
        EXPECT_EQ(check_named(check.id), &check);
    }
    EXPECT_EQ(check_named("limit"), nullptr);
}

// The tests run in the project's folder.
TEST(Checks, EveryCheckHasItsPageAndEveryPageItsCheck) {
    const std::string folder = "docs/checks/";
    const auto index = read(folder + "README.md");
    for (const auto& check : checks()) {
        const auto page = read(folder + std::string(check.id) + ".md");
        EXPECT_TRUE(page.starts_with("# " + std::string(check.id) + "\n")) << check.id;
        for (const auto* part : {"## What it says", "## Why it matters", "## The figures", "## What mends it",
                                 "## What it costs", "## Undoing it"})
            EXPECT_NE(page.find(part), std::string::npos) << check.id << " has no " << part;
        EXPECT_NE(index.find("(" + std::string(check.id) + ".md)"), std::string::npos)
            << check.id << " is not in the index";
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto name = entry.path().stem().string();
        if (name != "README") EXPECT_NE(check_named(name), nullptr) << name << ".md is no check's page";
    }
}

TEST(Checks, TheGreatestHarmComesFirst) {
    auto looks = healthy();
    count(looks, "Threads_connected", 150, 151);     // critical
    count(looks, "Aborted_connects", 90000, 90000);  // attention
    const auto findings = diagnose(looks);
    ASSERT_GE(findings.size(), 3U);
    EXPECT_EQ(findings[0].id, "limit-too-low");
    EXPECT_EQ(findings[0].severity, Severity::critical);
    for (std::size_t i = 1; i < findings.size(); ++i) EXPECT_GE(findings[i - 1].severity, findings[i].severity);
}

TEST(Checks, OnlyThoseThatWereAskedForAreMade) {
    auto looks = healthy();
    count(looks, "Threads_connected", 150, 151);
    count(looks, "Aborted_connects", 90000, 90000);
    const auto findings = diagnose(looks, {"aborted-connects", "leak"});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].id, "aborted-connects");
}

}  // namespace
}  // namespace tidegate::watch::doctor
