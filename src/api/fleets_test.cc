// The fleets in the API: what is shown, and who may steer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/handler.h"

namespace tidegate::api {
namespace {

using testing::HasSubstr;

class FleetsApi : public testing::Test {
protected:
    FleetsApi() {
        fleet::FleetView view;
        view.name = "mail";
        view.state = fleet::FleetState::running;
        view.now = TimePoint(100s);
        view.figures.workers = 2;
        view.figures.running = 1;
        view.figures.resting = 1;
        view.figures.jobs_done = 40;
        view.figures.jobs_failed = 2;
        view.figures.restarts = 3;
        fleet::Worker running;
        running.state = fleet::WorkerState::running;
        running.started_at = TimePoint(90s);
        running.jobs = 7;
        running.rss = 1024;
        running.status = "at order 7";
        fleet::Worker resting;
        resting.id = 1;
        resting.state = fleet::WorkerState::resting;
        resting.restarts = 3;
        resting.last_exit = {.code = 3};
        view.workers = {{.worker = running, .pid = 4711}, {.worker = resting}};
        fleets.push_back(view);
        sources.gate = [] {
            proxy::Snapshot gate;
            gate.pool.active = 5;
            gate.pool.max = 97;
            return gate;
        };
        sources.fleets = [this] { return fleets; };
        sources.scale = [this](const std::string& name, unsigned workers) -> Result<std::string> {
            if (name != "mail") return fail(404, "HY000", "there is no fleet " + name + "; there are mail");
            orders.push_back(name + " " + std::to_string(workers));
            return "it goes";
        };
        sources.restart = [this](const std::string& name) -> Result<std::string> {
            if (name == "ill") return fail("the fleet ill was given up");
            orders.push_back(name + " restart");
            return "it goes";
        };
        sources.logs = [this](const std::string& name, std::uint64_t after, std::size_t most) {
            orders.push_back(name + " logs " + std::to_string(after) + " " + std::to_string(most));
            fleet::LogPage page;
            page.last = 9;
            page.lines = {{.number = 9, .worker = 1, .error = true, .at = {}, .text = "no \xff"}};
            return Result<fleet::LogPage>(page);
        };
    }
    Response ask(std::string_view method, std::string_view target, std::string_view authorization = "") {
        return handle({.method = method, .target = target, .authorization = authorization, .trusted = trusted}, token,
                      sources);
    }
    static nlohmann::json body(const Response& response) { return nlohmann::json::parse(response.body); }

    std::vector<fleet::FleetView> fleets;
    std::vector<std::string> orders;
    Sources sources;
    Secret token;
    bool trusted = false;
};

TEST_F(FleetsApi, ShowsFleetsWorkersAndThePool) {
    const auto stats = body(ask("GET", "/api/worker-stats"));
    const auto& mail = stats["fleets"][0];
    EXPECT_EQ(mail["name"], "mail");
    EXPECT_EQ(mail["state"], "running");
    EXPECT_EQ(mail["workers"], 2);
    EXPECT_EQ(mail["jobs_done"], 40);
    EXPECT_EQ(mail["jobs_failed"], 2);
    EXPECT_EQ(mail["list"][0]["pid"], 4711);
    EXPECT_EQ(mail["list"][0]["age_seconds"], 10.0);
    EXPECT_EQ(mail["list"][0]["status"], "at order 7");
    EXPECT_TRUE(mail["list"][0]["last_exit"].is_null());
    EXPECT_TRUE(mail["list"][1]["pid"].is_null());
    EXPECT_EQ(mail["list"][1]["last_exit"], "exit code 3");
    EXPECT_EQ(stats["connection_pool"]["active"], 5);
    EXPECT_EQ(stats["connection_pool"]["max"], 97);
}

TEST_F(FleetsApi, AnswersTheOlderFormToo) {
    const auto answer = ask("GET", "/?page=api&action=worker-stats");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, ask("GET", "/api/worker-stats").body);
    EXPECT_EQ(body(ask("GET", "/?action=connection-pool-stats&page=api"))["max"], 97);
    EXPECT_EQ(ask("GET", "/?page=api&action=nothing").status, 404U);
    EXPECT_EQ(ask("GET", "/?page=home&action=worker-stats").status, 404U);
    EXPECT_EQ(ask("GET", "/?page=api").status, 404U);
}

TEST_F(FleetsApi, CountsForPrometheus) {
    const auto page = ask("GET", "/metrics").body;
    EXPECT_THAT(page, HasSubstr("tidegate_fleet_workers{fleet=\"mail\",state=\"running\"} 1\n"));
    EXPECT_THAT(page, HasSubstr("tidegate_fleet_workers{fleet=\"mail\",state=\"to_be_started_again\"} 1\n"));
    EXPECT_THAT(page, HasSubstr("tidegate_fleet_jobs_failed_total{fleet=\"mail\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("tidegate_fleet_restarts_total{fleet=\"mail\"} 3\n"));
}

TEST_F(FleetsApi, IsNeverSteeredOverTcpWithoutAToken) {
    for (const auto* target : {"/api/fleets/mail/scale?workers=3", "/api/fleets/mail/restart", "/api/fleets/mail/logs",
                               "/api/fleets/mail/nothing", "/api/fleets/", "/?page=api&action=fleets/mail/restart"}) {
        EXPECT_EQ(ask("POST", target).status, 403U) << target;
        EXPECT_EQ(ask("GET", target).status, 403U) << target;
        EXPECT_EQ(ask("POST", target, "Bearer ").status, 403U) << target;
    }
    token = Secret("sesame");
    EXPECT_EQ(ask("POST", "/api/fleets/mail/restart").status, 401U);
    EXPECT_EQ(ask("POST", "/api/fleets/mail/restart", "Bearer sesam").status, 401U);
    EXPECT_TRUE(orders.empty());
    EXPECT_EQ(ask("POST", "/api/fleets/mail/restart", "Bearer sesame").status, 200U);
    EXPECT_THAT(orders, testing::ElementsAre("mail restart"));
}

TEST_F(FleetsApi, IsSteeredOverTheControlSocket) {
    trusted = true;
    token = Secret("sesame");
    EXPECT_EQ(body(ask("POST", "/api/fleets/mail/scale?workers=3"))["done"], "it goes");
    const auto logs = body(ask("GET", "/api/fleets/mail/logs?lines=5&after=8"));
    EXPECT_EQ(logs["last"], 9);
    EXPECT_EQ(logs["lines"][0]["stream"], "err");
    EXPECT_EQ(body(ask("GET", "/api/worker-stats"))["fleets"].size(), 1U);
    EXPECT_THAT(orders, testing::ElementsAre("mail 3", "mail logs 8 5"));
}

TEST_F(FleetsApi, RefusesOrdersThatAreNone) {
    trusted = true;
    EXPECT_EQ(ask("GET", "/api/fleets/mail/scale?workers=3").status, 405U);
    EXPECT_EQ(ask("POST", "/api/fleets/mail/logs").status, 405U);
    EXPECT_EQ(ask("POST", "/api/fleets/mail/explode").status, 404U);
    EXPECT_EQ(ask("POST", "/api/fleets/mail").status, 404U);
    for (const auto* query : {"", "?workers=", "?workers=-1", "?workers=x", "?workers=100001", "?worker=3"}) {
        EXPECT_EQ(ask("POST", std::string("/api/fleets/mail/scale") + query).status, 400U) << query;
    }
    EXPECT_EQ(ask("GET", "/api/fleets/mail/logs?lines=all").status, 400U);
    const auto missing = ask("POST", "/api/fleets/post/scale?workers=3");
    EXPECT_EQ(missing.status, 404U);
    EXPECT_EQ(body(missing)["error"], "there is no fleet post; there are mail");
    EXPECT_EQ(ask("POST", "/api/fleets/ill/restart").status, 409U);
    EXPECT_TRUE(orders.empty());
}

}  // namespace
}  // namespace tidegate::api
