// Which program a row of the process list is of. What is not certain is left open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/local.h"

namespace tidegate::watch {
namespace {

using testing::ElementsAre;

Program program(int pid, const std::string& name) {
    Program one;
    one.pid = pid;
    one.name = name;
    one.account = "www-data";
    return one;
}

LocalEnd tcp(std::uint16_t port, const std::string& address = "127.0.0.1") {
    LocalEnd end;
    end.port = port;
    end.address = address;
    return end;
}

Connection row(const std::string& host, std::uint16_t port, std::optional<int> pid = std::nullopt) {
    Connection one;
    one.host = host;
    one.port = port;
    one.pid = pid;
    return one;
}

LocalView view_of(std::vector<LocalHolder> holders) {
    LocalView view;
    view.server_is_here = true;
    view.host_name = "web1.example.org";
    view.self = 99;
    view.holders = std::move(holders);
    return view;
}

std::string named(const LocalView& view, Connection connection) {
    std::vector<Connection> connections{std::move(connection)};
    name_programs(connections, view);
    return connections[0].program();
}

TEST(Naming, GoesByPortAndAddress) {
    const auto view = view_of({{program(7, "php a.php"), {tcp(40001), tcp(40002, "10.0.0.1")}}});
    EXPECT_EQ(named(view, row("127.0.0.1", 40001)), "php a.php");
    EXPECT_EQ(named(view, row("localhost", 40001)), "php a.php");
    EXPECT_EQ(named(view, row("::1", 40001)), "php a.php");
    EXPECT_EQ(named(view, row("10.0.0.1", 40002)), "php a.php");
    EXPECT_EQ(named(view, row("::ffff:10.0.0.1", 40002)), "php a.php");
    EXPECT_EQ(named(view, row("web1.example.org", 40002)), "php a.php");
    EXPECT_EQ(named(view, row("WEB1", 40002)), "php a.php");
}

TEST(Naming, DoesNotTakeAnotherHostsPortForOurs) {
    const auto view = view_of({{program(7, "php a.php"), {tcp(40001), tcp(40002, "10.0.0.1")}}});
    for (const char* host : {"10.0.0.9", "web2.example.org", "web1.example.com", "web", "localhost.evil", ""}) {
        EXPECT_EQ(named(view, row(host, 40001)), "") << host;
        EXPECT_EQ(named(view, row(host, 40002)), "") << host;
    }
    EXPECT_EQ(named(view, row("127.0.0.1", 40003)), "");
    EXPECT_EQ(named(view, row("10.0.0.9", 40003, 7)), "");
    EXPECT_EQ(named(view, row("192.0.2.7", 40002, 7)), "php a.php");  // behind a NAT: port and pid
}

TEST(Naming, GoesByPidOverASocket) {
    auto shared = tcp(0, "");
    shared.also = {8};
    const auto view = view_of({{program(7, "php a.php"), {shared}}, {program(9, "node b.js"), {tcp(0, "")}}});
    EXPECT_EQ(named(view, row("localhost", 0, 9)), "node b.js");
    EXPECT_EQ(named(view, row("localhost", 0, 8)), "php a.php");  // a child opened it with what it inherited
    EXPECT_EQ(named(view, row("localhost", 0, 10)), "");
    EXPECT_EQ(named(view, row("localhost", 0)), "");
    EXPECT_EQ(named(view, row("10.0.0.9", 0, 9)), "");
}

TEST(Naming, GoesByTheServersThreadOverASocket) {
    auto php = tcp(0, "");
    php.server_thread = 501;
    auto node = tcp(0, "");
    node.server_thread = 502;
    const auto view = view_of({{program(7, "php a.php"), {php}}, {program(9, "node b.js"), {node}}});
    auto one = row("localhost", 0, 7);  // a container's pid, perhaps
    one.server_thread = 502;
    EXPECT_EQ(named(view, one), "node b.js");
    one.server_thread = 503;
    one.pid.reset();
    EXPECT_EQ(named(view, one), "");
    one.host = "10.0.0.9";
    one.server_thread = 502;
    EXPECT_EQ(named(view, one), "");
}

TEST(Naming, NamesWhatIsLeftWhereOnlyOneProgramIs) {
    auto view = view_of({{program(7, "php a.php"), {tcp(0, ""), tcp(0, "")}}, {program(99, "tidegate"), {tcp(0, "")}}});
    std::vector<Connection> rows{row("localhost", 0), row("localhost", 0), row("localhost", 0)};
    rows[2].kind = Kind::own;
    name_programs(rows, view);
    EXPECT_EQ(rows[0].local, view.holders[0].program);
    EXPECT_EQ(rows[1].local, view.holders[0].program);
    EXPECT_EQ(rows[2].program(), "tidegate");
}

TEST(Naming, SaysWhichOfSeveralAlikeItMayBe) {
    const auto view = view_of({{program(7, "php a.php"), {tcp(0, "")}}, {program(5, "php a.php"), {tcp(0, "")}}});
    std::vector<Connection> rows{row("localhost", 0), row("localhost", 0)};
    name_programs(rows, view);
    ASSERT_TRUE(rows[0].local && rows[1].local);
    EXPECT_EQ(rows[0].local->name, "php a.php");
    EXPECT_EQ(rows[0].local->pid, 0);
    EXPECT_THAT(rows[0].local->one_of, ElementsAre(5, 7));
}

TEST(Naming, DoesNotGuessWhereItMayBeAnother) {
    const auto two = view_of({{program(7, "php a.php"), {tcp(0, "")}}, {program(9, "node b.js"), {tcp(0, "")}}});
    EXPECT_EQ(named(two, row("localhost", 0)), "");
    auto hidden = view_of({{program(7, "php a.php"), {tcp(0, "")}}});
    EXPECT_EQ(named(hidden, row("localhost", 0)), "php a.php");
    hidden.of_unknown.push_back(tcp(0, ""));
    EXPECT_EQ(named(hidden, row("localhost", 0)), "");
    auto elsewhere = view_of({{program(7, "php a.php"), {tcp(0, "")}}});
    elsewhere.server_is_here = false;
    EXPECT_EQ(named(elsewhere, row("localhost", 0)), "");
    const auto one = view_of({{program(7, "php a.php"), {tcp(0, "")}}});
    std::vector<Connection> more{row("localhost", 0), row("localhost", 0)};
    name_programs(more, one);
    EXPECT_EQ(more[0].program(), "");
}

TEST(Naming, LeavesTheServersOwnThreadsAlone) {
    const auto view = view_of({{program(7, "php a.php"), {tcp(0, "")}}});
    auto scheduler = row("localhost", 0);
    scheduler.kind = Kind::event_scheduler;
    EXPECT_EQ(named(view, scheduler), "");
}

TEST(Naming, AGatesConnectionsAreKnownByItsWordAndByItsProgram) {
    std::vector<Connection> rows{row("10.0.0.9", 1), row("127.0.0.1", 2), row("127.0.0.1", 3), row("10.0.0.9", 4)};
    for (std::size_t at = 0; at < rows.size(); ++at) rows[at].id = 10 + at;
    rows[1].local = program(7, "tidegate serve");
    rows[2].local = program(8, "php tidegate serve.php");
    rows[3].kind = Kind::own;
    mark_gates(rows, std::vector<std::uint32_t>{10, 13, 99});
    EXPECT_EQ(rows[0].kind, Kind::gate);
    EXPECT_EQ(rows[1].kind, Kind::gate);
    EXPECT_EQ(rows[2].kind, Kind::client);
    EXPECT_EQ(rows[3].kind, Kind::own);
}

}  // namespace
}  // namespace tidegate::watch
