// `tidegate ctl`: looks at the fleets of the running gate, and steers them, over its control socket or its API.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/commands.h"
#include "cli/http_client.h"
#include "cli/slot_settings.h"
#include "config/values.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;
using What = CtlOptions::What;

constexpr Duration kFollowed = 300ms;  // new lines are asked for so often

int complain(int code, const std::string& sentence) {
    fmt::print(stderr, "tidegate: {}\n", sentence);
    return code;
}

// The gate that is asked.
class Gate {
public:
    // An exit code where it cannot be found; what is wrong is said.
    static std::expected<Gate, int> find(const CtlOptions& options) {
        Gate gate;
        if (!options.api.empty()) {
            auto endpoint = config::parse_endpoint(options.api);
            if (!endpoint) return std::unexpected(complain(kUsage, "--api " + endpoint.error().message));
            gate.api_ = std::move(*endpoint);
            if (const char* token = std::getenv("TIDEGATE_API_TOKEN")) gate.token_ = token;
            return gate;
        }
        const auto settings = slot_settings(options.config_file);
        if (!settings) return std::unexpected(settings.error());
        const auto door = open_door(*settings);
        if (!door) return std::unexpected(door.error());
        gate.folder_ = door->place().folder;
        gate.socket_ = door->place().control();
        return gate;
    }

    // What it answers; an exit code where that is an error, which is said.
    std::expected<json, int> ask(std::string_view method, const std::string& target) const {
        auto answer = api_ ? ask_api(*api_, method, target, token_) : ask_control(socket_, method, target);
        if (!answer) return std::unexpected(not_there(answer.error()));
        auto body = json::parse(answer->body, nullptr, false);
        if (answer->status == 200 && body.is_object()) return body;
        const auto said = body.is_object() ? body.value("error", "") : "";
        const auto sentence = said.empty() ? fmt::format("the gate answers with status {}", answer->status) : said;
        const bool ours = answer->status >= 400 && answer->status <= 404;  // the name, the number, the token
        return std::unexpected(complain(ours ? kUsage : kCritical, sentence));
    }

private:
    [[nodiscard]] int not_there(const Error& error) const {
        if (api_) return complain(kServerUnreachable, error.message);
        if (error.code == EACCES || error.code == EPERM) {
            return complain(
                kCritical,
                fmt::format("the gate at {} belongs to another user; run this as that user or as root", socket_));
        }
        if (error.code == ENOENT || error.code == ECONNREFUSED) {
            return complain(
                kServerUnreachable,
                fmt::format("no gate runs that has its control socket in {}; start it with tidegate serve, or name its "
                            "configuration with -c, or its folder in TIDEGATE_SLOTS",
                            folder_));
        }
        return complain(kServerUnreachable, error.message);
    }

    std::optional<config::Endpoint> api_;
    std::string token_;
    std::string folder_;
    std::string socket_;
};

std::string text_or(const json& object, const char* key, std::string otherwise) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::move(otherwise);
}

std::string age_of(const json& worker) {
    if (!worker["age_seconds"].is_number()) return "-";
    const auto s = static_cast<long>(worker["age_seconds"].get<double>());
    return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                    : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

void print_fleet(const json& fleet) {
    const auto count = [&](const char* key) { return fleet.value(key, std::uint64_t{0}); };
    const auto why = text_or(fleet, "why", "");
    std::string counts = fmt::format("{} running", count("running"));
    for (const auto& [key, word] : {std::pair("waiting", "waiting"), std::pair("stopping", "stopping"),
                                    std::pair("to_be_started_again", "to be started again"), std::pair("done", "done"),
                                    std::pair("failed", "failed")}) {
        if (count(key) != 0) counts += fmt::format(", {} {}", count(key), word);
    }
    fmt::print("{}: {}{}{}, {} workers: {}\n", text_or(fleet, "name", ""), text_or(fleet, "state", ""),
               why.empty() ? "" : ": ", why, count("workers"), counts);
    fmt::print("  jobs: {} done, {} failed; {} starts again, {} of them replaced; {} crashes, {} killed\n",
               count("jobs_done"), count("jobs_failed"), count("restarts"), count("recycled"), count("crashes"),
               count("killed"));
    if (!fleet["list"].empty()) {
        fmt::print("  {:>6} {:>8} {:<10} {:>8} {:>9} {:>10} {:>9}  {}\n", "WORKER", "PID", "STATE", "RESTARTS", "JOBS",
                   "MEMORY", "AGE", "STATUS");
    }
    for (const auto& worker : fleet["list"]) {
        const auto state = text_or(worker, "state", "");
        const auto ended = text_or(worker, "last_exit", "");
        const auto said = worker["pid"].is_number() || ended.empty() ? text_or(worker, "status", "") : "after " + ended;
        fmt::print(
            "  {:>6} {:>8} {:<10} {:>8} {:>9} {:>10} {:>9}  {}\n", worker.value("id", 0U),
            worker["pid"].is_number() ? worker["pid"].dump() : "-", state, worker.value("restarts", 0U),
            worker.value("jobs", std::uint64_t{0}),
            worker["rss_bytes"].is_number() ? config::text_of_size(worker["rss_bytes"].get<std::uint64_t>()) : "-",
            age_of(worker), said);
    }
}

int show_fleets(const Gate& gate, const CtlOptions& options) {
    const auto stats = gate.ask("GET", "/api/worker-stats");
    if (!stats) return stats.error();
    const auto& fleets = (*stats)["fleets"];
    bool trouble = false;
    for (const auto& fleet : fleets) {
        trouble = trouble || fleet.value("state", "") == "given up" || fleet.value("failed", 0U) > 0;
    }
    if (options.json) {
        fmt::print("{}\n", stats->dump(options.every.empty() ? 2 : -1));
    } else {
        for (const auto& fleet : fleets) print_fleet(fleet);
        if (fleets.empty()) fmt::print("this gate has no fleets; [[fleet]] in its configuration makes one\n");
        const auto& pool = (*stats)["connection_pool"];
        fmt::print("pool: {} active, {} idle, {} waiting, {} at most, peak {}\n", pool.value("active", 0U),
                   pool.value("idle", 0U), pool.value("waiting", 0U), pool.value("max", 0U), pool.value("peak", 0U));
    }
    std::fflush(stdout);
    return trouble ? kAttention : kWell;
}

int watch_fleets(const Gate& gate, const CtlOptions& options) {
    std::optional<Duration> every;
    if (!options.every.empty()) {
        every = config::parse_duration(options.every);
        if (!every || *every < 100ms) return complain(kUsage, "--every must be a time of at least 100ms, such as 1s");
    }
    const bool clear = every && !options.json && isatty(STDOUT_FILENO) == 1;
    while (true) {
        if (clear) fmt::print("\x1b[H\x1b[2J");
        const int code = show_fleets(gate, options);
        if (!every || code > kAttention) return code;
        std::this_thread::sleep_for(*every);
    }
}

int order(const Gate& gate, const CtlOptions& options, const std::string& target) {
    const auto answer = gate.ask("POST", target);
    if (!answer) return answer.error();
    if (options.json)
        fmt::print("{}\n", answer->dump(2));
    else
        fmt::print("{}\n", text_or(*answer, "done", ""));
    return kWell;
}

void print_line(const json& line, bool as_json) {
    if (as_json)
        fmt::print("{}\n", line.dump());
    else
        fmt::print("[{}] {}\n", line.value("worker", 0U), text_or(line, "text", ""));
}

int show_logs(const Gate& gate, const CtlOptions& options, const std::string& target) {
    std::uint64_t after = 0;
    unsigned lines = options.lines;
    while (true) {
        const auto page = gate.ask("GET", fmt::format("{}?lines={}&after={}", target, lines, after));
        if (!page) return page.error();
        for (const auto& line : (*page)["lines"]) print_line(line, options.json);
        std::fflush(stdout);
        if (!options.follow) return kWell;
        if (std::ferror(stdout) != 0) return kWell;  // whoever read it has gone
        const auto last = page->value("last", std::uint64_t{0});
        after = last < after ? 0 : last;  // another gate than before: its lines begin anew
        lines = 1'000'000;
        std::this_thread::sleep_for(kFollowed);
    }
}

}  // namespace

int ctl(const CtlOptions& options) {
    if (options.what != What::fleets && !config::is_plain_name(options.fleet)) {
        return complain(
            kUsage, fmt::format("\"{}\" is not the name of a fleet; tidegate ctl fleets shows them", options.fleet));
    }
    const auto gate = Gate::find(options);
    if (!gate) return gate.error();
    const auto target = "/api/fleets/" + options.fleet;
    switch (options.what) {
        case What::fleets:
            return watch_fleets(*gate, options);
        case What::scale:
            return order(*gate, options, fmt::format("{}/scale?workers={}", target, options.workers));
        case What::restart:
            return order(*gate, options, target + "/restart");
        case What::logs:
            return show_logs(*gate, options, target + "/logs");
        case What::none:
            break;
    }
    return kUsage;
}

}  // namespace tidegate::cli
