#include "watch/doctor/report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "watch/doctor/checks.h"
#include "watch/doctor/doctor_testing.h"
#include "watch/doctor/script.h"

namespace tidegate::watch::doctor {
namespace {

Looks ill() {
    auto looks = healthy();
    count(looks, "Threads_connected", 151, 151);
    set(looks, "thread_cache_size", "0");
    set(looks, "back_log", "5");
    count(looks, "Threads_created", 890000, 890007);
    return looks;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

bool has_line(const std::string& text, const std::string& line) {
    const auto lines = lines_of(text);
    return std::ranges::find(lines, line) != lines.end();
}

TEST(Report, FitsAHundredColumnsAndEndsWithTheVerdict) {
    const auto looks = ill();
    Report report;
    report.server = "127.0.0.1:3306";
    report.findings = diagnose(looks);
    report.checks = checks().size();
    report.unknown = {"other accounts' connections; what shows it: GRANT PROCESS ON *.* TO 'app'@'%';"};
    const auto text = text_of(report, looks);
    for (const auto& line : lines_of(text)) EXPECT_LE(line.size(), 100U) << line;
    EXPECT_TRUE(lines_of(text).back().starts_with("critical: 1 critical, 2 attention, ")) << lines_of(text).back();
    EXPECT_LT(text.find("[limit-too-low]"), text.find("[thread-cache-too-small]"));
    EXPECT_NE(text.find("docs/checks/limit-too-low.md"), std::string::npos);
    EXPECT_NE(text.find("GRANT PROCESS"), std::string::npos);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Report, AWordThatIsTooLongStandsAlone) {
    const std::string word(150, 'x');
    EXPECT_EQ(wrapped("a " + word + " b", "- "), "- a\n  " + word + "\n  b\n");
    EXPECT_EQ(wrapped("", "- "), "- \n");
}

TEST(Script, ChangesOnceAndUndoesWithTheValuesOfNow) {
    const auto looks = ill();
    auto findings = diagnose(looks);
    findings.push_back(findings.front());  // the same variable again
    const auto script = script_of(findings, looks, "127.0.0.1:3306", "fix.sql");
    EXPECT_EQ(script.changes, 2U);
    EXPECT_TRUE(has_line(script.fix, "SET GLOBAL max_connections = 230;"));
    EXPECT_TRUE(has_line(script.fix, "SET GLOBAL thread_cache_size = 152;"));
    EXPECT_TRUE(has_line(script.undo, "SET GLOBAL max_connections = 151;"));
    EXPECT_TRUE(has_line(script.undo, "SET GLOBAL thread_cache_size = 0;"));
    EXPECT_TRUE(has_line(script.fix, "--     back_log = 80"));
    EXPECT_TRUE(has_line(script.undo, "--     back_log = 5"));
    // What is merely worth knowing is not changed.
    EXPECT_TRUE(has_line(script.fix, "-- if you like: SET GLOBAL wait_timeout = 600;"));
    EXPECT_FALSE(has_line(script.fix, "SET GLOBAL wait_timeout = 600;"));
}

TEST(Script, NothingBreaksOutOfAComment) {
    const auto looks = ill();
    Finding finding{.id = "x", .severity = Severity::attention, .title = "a\nDROP TABLE t;\r\nb"};
    finding.changes.push_back(
        {.what = "v", .statement = "SET GLOBAL v = 1;", .undo = "SET GLOBAL v = 0;", .option = "", .option_undo = ""});
    const auto script = script_of({finding}, looks, "h\nDROP TABLE t;", "fix\nDROP TABLE t;");
    for (const auto& text : {script.fix, script.undo}) {
        for (const auto& line : lines_of(text))
            EXPECT_TRUE(line.empty() || line.starts_with("-- ") || line.starts_with("SET GLOBAL v =")) << line;
    }
}

TEST(Script, AServerThatIsWellIsNotChanged) {
    const auto looks = healthy();
    EXPECT_EQ(script_of(diagnose(looks), looks, "h", "f").changes, 0U);
}

}  // namespace
}  // namespace tidegate::watch::doctor
