// The screen of `tidegate top` without a terminal: keys in, lines out.
#include "watch/top_view.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/columns.h"

namespace tidegate::watch {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using What = TopAction::What;

Connection connection(std::uint64_t id, const std::string& user, Duration time, const std::string& command = "Sleep") {
    Connection one;
    one.id = id;
    one.user = user;
    one.host = "10.0.0.7";
    one.port = 40000;
    one.schema = "shop";
    one.command = command;
    one.time = time;
    if (command == "Query") one.statement = "SELECT * FROM orders WHERE id = " + std::to_string(id);
    return one;
}

class TopTest : public testing::Test {
protected:
    TopTest() {
        auto& all = picture.snapshot.connections;
        picture.snapshot.sees_all = true;
        all.push_back(connection(1, "app", 50s));
        all.push_back(connection(2, "web", 3s, "Query"));
        all.push_back(connection(3, "app", 41min));
        all.push_back(connection(4, "repl", 9h, "Binlog Dump"));
        all.back().kind = Kind::binlog_dump;
        Program php;
        php.pid = 4242;
        php.name = "php worker.php";
        php.command = "php worker.php --queue=mail";
        php.folder = "/srv/shop";
        all[2].local = php;
        picture.title = "MariaDB 10.11.6 at 127.0.0.1:3306, up for 3 hours";
        picture.taken = "15:04:05";
        picture.usage = "143 / 151 (94.7%)";
        picture.used = 0.947;
        picture.activity = "12 active, 131 sleeping";
        picture.history = "connections 131 to 143 in 2m";
        picture.sparkline = "01234567";
        for (const auto* name : {"Gate", "Slots", "Fleet"}) picture.sheets[next++] = Sheet{.name = name};
        look();
    }

    void look() { picture.sheets[0] = connections_sheet(picture.snapshot, 60s); }

    std::vector<std::string> screen(std::size_t width = 80, std::size_t height = 24) {
        std::vector<std::string> texts;
        for (const auto& line : top_lines(state, picture, {width, height})) {
            auto& text = texts.emplace_back();
            for (const auto& span : line) text += span.text;
        }
        return texts;
    }
    std::string whole(std::size_t width = 80, std::size_t height = 24) {
        std::string all;
        for (const auto& line : screen(width, height)) all += line + "\n";
        return all;
    }

    TopAction type(const std::string& text) {
        TopAction last;
        for (const char c : text) last = press(state, picture, {TopKey::Kind::character, std::string(1, c)});
        return last;
    }
    TopAction type(TopKey::Kind kind) { return press(state, picture, {kind}); }

    // The ids of the rows in the order in which they stand on the screen.
    std::vector<std::string> ids() {
        std::vector<std::string> found;
        const auto& sheet = picture.sheets[0];
        for (const auto row : rows_shown(state, sheet)) found.push_back(sheet.rows[row].key);
        return found;
    }
    std::string selected() {
        for (const auto& line : top_lines(state, picture, {80, 24})) {
            if (line.size() == 1 && line.front().style == Style::selected) return line.front().text;
        }
        return "";
    }

    TopPicture picture;
    TopState state;
    std::size_t next = 1;
};

TEST_F(TopTest, FitsEverySize) {
    for (const auto mode : {TopState::Mode::list, TopState::Mode::help, TopState::Mode::filter}) {
        state.mode = mode;
        for (std::size_t width = 1; width <= 220; width += 3) {
            for (const std::size_t height : {1U, 4U, 7U, 8U, 10U, 13U, 14U, 24U, 50U}) {
                const auto lines = screen(width, height);
                EXPECT_LE(lines.size(), height);
                std::vector<std::size_t> widths;
                for (const auto& line : lines) widths.push_back(columns_of(line));
                EXPECT_THAT(widths, Each(Le(width))) << width << "x" << height;
            }
        }
    }
}

TEST_F(TopTest, SaysWhenTheTerminalIsTooSmall) {
    EXPECT_THAT(whole(39, 24), HasSubstr("too small"));
    EXPECT_THAT(whole(80, 7), HasSubstr("too small"));
    EXPECT_THAT(whole(40, 8), Not(HasSubstr("too small")));
}

TEST_F(TopTest, TheSmallestScreenStillHasRows) {
    const auto text = whole(40, 8);
    EXPECT_THAT(text, HasSubstr("94.7%"));
    EXPECT_THAT(text, HasSubstr("ID"));
    EXPECT_THAT(text, HasSubstr("app"));
}

TEST_F(TopTest, HeadHasFiguresBarAndSparkline) {
    const auto text = whole();
    EXPECT_THAT(text, HasSubstr("MariaDB 10.11.6 at 127.0.0.1:3306"));
    EXPECT_THAT(text, HasSubstr("usage 143 / 151 (94.7%) [|||||"));
    EXPECT_THAT(text, HasSubstr("connections 131 to 143 in 2m 01234567"));
    EXPECT_THAT(text, HasSubstr("every 2s  15:04:05"));
    EXPECT_THAT(text, HasSubstr("[1 Connections 4]"));
}

TEST_F(TopTest, SortsByTimeAndByAnyOtherColumn) {
    EXPECT_THAT(ids(), ElementsAre("4", "3", "1", "2"));
    type("r");
    EXPECT_THAT(ids(), ElementsAre("2", "1", "3", "4"));
    for (int i = 0; i < 7; ++i) type("<");
    EXPECT_THAT(whole(), HasSubstr("sorted by ID"));
    EXPECT_THAT(ids(), ElementsAre("4", "3", "2", "1"));
    type(">");
    EXPECT_THAT(ids(), ElementsAre("1", "3", "4", "2")) << "by account, and alike ones as they came";
    type("<<");
    EXPECT_THAT(whole(), HasSubstr("sorted by STATEMENT")) << "it goes round";
}

TEST_F(TopTest, NumbersAreSortedAsNumbers) {
    picture.snapshot.connections.push_back(connection(10, "app", 1s));
    look();
    for (int i = 0; i < 7; ++i) type("<");
    EXPECT_THAT(ids(), ElementsAre("10", "4", "3", "2", "1"));
}

TEST_F(TopTest, AFilterFollowsTheLetters) {
    type("/WORK");
    EXPECT_THAT(ids(), ElementsAre("3"));
    EXPECT_THAT(whole(), HasSubstr("filter: WORK_"));
    type("q");  // a letter like any other
    EXPECT_THAT(ids(), ElementsAre());
    EXPECT_THAT(whole(), HasSubstr("nothing fits"));
    type(TopKey::Kind::backspace);
    type(TopKey::Kind::enter);
    EXPECT_THAT(whole(), HasSubstr("1 of 4"));
    type(TopKey::Kind::escape);
    EXPECT_EQ(ids().size(), 4U);
}

TEST_F(TopTest, AFilterLooksInAccountHostProgramSchemaAndStatement) {
    for (const auto& [text, count] : std::vector<std::pair<std::string, std::size_t>>{
             {"web", 1}, {"10.0.0", 4}, {"queue=mail", 1}, {"shop", 4}, {"from orders", 1}, {"Sleep", 0}}) {
        state.filter = text;
        EXPECT_EQ(ids().size(), count) << text;
    }
}

TEST_F(TopTest, SleepingOnesCanBeHidden) {
    type("i");
    EXPECT_THAT(ids(), ElementsAre("4", "2"));
    type("i");
    EXPECT_EQ(ids().size(), 4U);
}

TEST_F(TopTest, TheSelectionStaysOnItsRow) {
    type("jj");
    EXPECT_THAT(selected(), HasSubstr("    1 app"));
    picture.snapshot.connections.insert(picture.snapshot.connections.begin(), connection(9, "cron", 20h));
    look();
    EXPECT_THAT(selected(), HasSubstr("    1 app"));
    std::erase_if(picture.snapshot.connections, [](const auto& c) { return c.id == 1; });
    look();
    EXPECT_NE(selected(), "") << "the row has gone, its place has not";
}

TEST_F(TopTest, ScrollsSoThatTheSelectionIsSeen) {
    for (std::uint64_t id = 100; id < 300; ++id) picture.snapshot.connections.push_back(connection(id, "many", 1s));
    look();
    screen();
    type(TopKey::Kind::end);
    EXPECT_THAT(selected(), HasSubstr("299 many"));
    type(TopKey::Kind::home);
    EXPECT_THAT(selected(), HasSubstr("4 repl"));
    type(TopKey::Kind::page_down);
    EXPECT_THAT(selected(), HasSubstr("many"));
    type(TopKey::Kind::page_up);
    EXPECT_THAT(selected(), HasSubstr("4 repl"));
}

TEST_F(TopTest, PagesTurn) {
    type(TopKey::Kind::tab);
    EXPECT_EQ(state.page, 1U);
    type("4");
    EXPECT_EQ(state.page, 3U);
    type(TopKey::Kind::right);
    EXPECT_EQ(state.page, 0U);
    type(TopKey::Kind::back_tab);
    EXPECT_EQ(state.page, 3U);
    type("K");
    EXPECT_THAT(whole(), HasSubstr("only connections of the server can be ended"));
}

TEST_F(TopTest, AKillIsAskedForAndOnlyYesMeansIt) {
    type("j");
    EXPECT_EQ(type("K").what, What::nothing);
    EXPECT_THAT(whole(200),
                HasSubstr("End connection 3, app at 10.0.0.7:40000, php worker.php (pid 4242), schema shop"));
    EXPECT_THAT(whole(), HasSubstr("y/N"));
    for (const auto* no : {"n", "q", " "}) {
        EXPECT_EQ(type(no).what, What::nothing);
        EXPECT_THAT(whole(), HasSubstr("nothing was ended"));
        type("K");
    }
    const auto action = type("y");
    ASSERT_EQ(action.what, What::kill);
    EXPECT_EQ(action.victim->connection.id, 3U);
    EXPECT_FALSE(action.victim->query_only);
    EXPECT_EQ(type("y").what, What::nothing) << "one answer, one kill";
}

TEST_F(TopTest, TheVictimIsTheOneThatWasAskedAbout) {
    type("jK");
    picture.snapshot.connections[2].user = "another";
    look();
    EXPECT_EQ(type("y").victim->connection.user, "app") << "so that the look before the kill sees the difference";
}

TEST_F(TopTest, ProtectedOnesAreNeverAskedAbout) {
    for (const auto kind :
         {Kind::own, Kind::gate, Kind::replica, Kind::binlog_dump, Kind::event_scheduler, Kind::system}) {
        picture.snapshot.connections[3].kind = kind;
        state.on().selected = "4";
        picture.sheets[0].rows.clear();
        look();
        if (ids().front() != "4") continue;  // not in the list at all
        type("K");
        EXPECT_EQ(state.mode, TopState::Mode::list);
        EXPECT_THAT(whole(120), HasSubstr("connection 4 is never ended: " + why_never_ended(kind)));
    }
}

TEST_F(TopTest, OnlyAStatementThatRunsCanBeStopped) {
    type("jX");
    EXPECT_THAT(whole(), HasSubstr("connection 3 sleeps and runs no statement"));
    type("GX");
    EXPECT_THAT(whole(), HasSubstr("Stop the statement of connection 2"));
    EXPECT_TRUE(type("y").victim->query_only);
}

TEST_F(TopTest, EnterShowsTheWholeRow) {
    type("j");
    type(TopKey::Kind::enter);
    const auto text = whole();
    EXPECT_THAT(text, HasSubstr("php worker.php --queue=mail"));
    EXPECT_THAT(text, HasSubstr("/srv/shop"));
    EXPECT_THAT(text, HasSubstr("41 minutes"));
    std::erase_if(picture.snapshot.connections, [](const auto& c) { return c.id == 3; });
    look();
    EXPECT_THAT(whole(), HasSubstr("It has gone.")) << "and not the details of another";
    type("x");
    EXPECT_EQ(state.mode, TopState::Mode::list);
}

TEST_F(TopTest, HelpNamesEveryKey) {
    type("?");
    const auto text = whole(80, 40);
    for (const auto* key :
         {"q ", "Tab", "< >", "r ", "/ ", "Esc", "i ", "Enter", "K F9", "X ", "Space", "+ -", "Ctrl-L"})
        EXPECT_THAT(text, HasSubstr(key));
    EXPECT_EQ(type("q").what, What::nothing) << "closes the help alone";
    EXPECT_EQ(type("q").what, What::quit);
}

TEST_F(TopTest, LongHelpScrolls) {
    type("?");
    EXPECT_THAT(whole(80, 10), Not(HasSubstr("any other key closes this page")));
    for (int i = 0; i < 50; ++i) type("j");
    EXPECT_THAT(whole(80, 10), HasSubstr("any other key closes this page"));
    EXPECT_EQ(state.mode, TopState::Mode::help);
}

TEST_F(TopTest, TheIntervalChanges) {
    type("+");
    EXPECT_EQ(state.every, 5s);
    type("---");
    EXPECT_EQ(state.every, 500ms);
    EXPECT_THAT(whole(), HasSubstr("every 0.5s"));
    for (int i = 0; i < 20; ++i) type("-");
    EXPECT_EQ(state.every, kShortestInterval);
    type("d12");
    type(TopKey::Kind::enter);
    EXPECT_EQ(state.every, 12s);
    for (const auto* wrong : {"d0", "dabc", "d99999", "d"}) {
        type(wrong);
        type(TopKey::Kind::enter);
        EXPECT_EQ(state.every, 12s) << wrong;
        EXPECT_THAT(whole(), HasSubstr("not changed")) << wrong;
    }
}

TEST_F(TopTest, PauseIsSaid) {
    EXPECT_EQ(type(" ").what, What::nothing);
    EXPECT_TRUE(state.paused);
    EXPECT_THAT(whole(), HasSubstr("PAUSED"));
    EXPECT_EQ(type(" ").what, What::look) << "at once";
    EXPECT_FALSE(state.paused);
}

TEST_F(TopTest, TroubleIsSaidAndThePictureStays) {
    picture.trouble = "no answer since 15:04:05 (8s)";
    const auto text = whole();
    EXPECT_THAT(text, HasSubstr("no answer since 15:04:05 (8s)"));
    EXPECT_THAT(text, HasSubstr("php worker.php"));
}

TEST_F(TopTest, OnceHasEveryRowAndNoKeys) {
    for (std::uint64_t id = 100; id < 300; ++id) picture.snapshot.connections.push_back(connection(id, "many", 1s));
    look();
    const auto lines = top_lines_once(state, picture, {80, 0});
    std::string text;
    for (const auto& line : lines) {
        for (const auto& span : line) text += span.text;
        text += "\n";
        EXPECT_TRUE(line.empty() || line.front().style != Style::selected);
    }
    EXPECT_THAT(text, HasSubstr("  299 many"));
    EXPECT_THAT(text, HasSubstr("  100 many"));
    EXPECT_THAT(text, Not(HasSubstr("q quit")));
}

TEST_F(TopTest, WhatAMissingPrivilegeHidesIsSaid) {
    picture.snapshot.sees_all = false;
    picture.snapshot.hidden.push_back({"other accounts' connections", "GRANT PROCESS ON *.* TO 'app'@'%';"});
    look();
    EXPECT_THAT(whole(120), HasSubstr("To see all: GRANT PROCESS ON *.* TO 'app'@'%';"));
}

TEST(Columns, TheLeastImportantGoFirst) {
    const std::vector<Column> columns{{"A", 5, 10, false, 3}, {"B", 5, 10, false, 1}, {"C", 5, 0, false, 2}};
    EXPECT_THAT(column_widths(columns, {8, 20, 30}, 60), ElementsAre(8, 10, 40));
    EXPECT_THAT(column_widths(columns, {5, 5, 5}, 17), ElementsAre(5, 5, 5));
    EXPECT_THAT(column_widths(columns, {5, 5, 5}, 16), ElementsAre(5, 0, 10));
    EXPECT_THAT(column_widths(columns, {5, 5, 5}, 10), ElementsAre(5, 0, 0));
    EXPECT_THAT(column_widths(columns, {5, 5, 5}, 2), ElementsAre(0, 0, 0));
}

TEST(Columns, WideAndNarrowCharacters) {
    EXPECT_EQ(columns_of("abc"), 3U);
    EXPECT_EQ(columns_of("▁▂▃"), 3U);
    EXPECT_EQ(columns_of("日本"), 4U);
    EXPECT_EQ(columns_of("e\u0301"), 1U);
    EXPECT_EQ(columns_of("\xff\xc3"), 2U) << "no UTF-8: a column a byte";
    EXPECT_EQ(first_columns("日本", 3), "日");
    EXPECT_EQ(last_columns("▁▂▃", 2), "▂▃");
    EXPECT_EQ(padded("日本語日本語", 7), "日本.. ") << "a third would be cut in two";
    EXPECT_EQ(padded("42", 5, true), "   42");
    EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three"));
    EXPECT_THAT(wrapped("oneverylongword", 5), ElementsAre("oneve", "rylon", "gword"));
    EXPECT_THAT(wrapped("", 5), ElementsAre(""));
}

TEST(ShortTime, HasTheLargestUnitOfWhichThereAreTwo) {
    EXPECT_EQ(short_time(0s), "0s");
    EXPECT_EQ(short_time(119s), "119s");
    EXPECT_EQ(short_time(120s), "2m");
    EXPECT_EQ(short_time(119min), "119m");
    EXPECT_EQ(short_time(47h), "47h");
    EXPECT_EQ(short_time(48h), "2d");
    EXPECT_EQ(short_time(-5s), "0s");
}

}  // namespace
}  // namespace tidegate::watch
