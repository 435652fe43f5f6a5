#include "cli/run_options.h"

#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "cli/inputs.h"
#include "config/source.h"
#include "config/values.h"

namespace tidegate::cli {
namespace {

// Of the environment, and of .env where that does not have it.
std::string setting(const char* name) {
    if (const char* value = std::getenv(name); value != nullptr) return value;
    std::string found;
    if (const auto file = read_file(".env")) {
        for (const auto& [key, value] : config::parse_dot_env(file->text)) {
            if (key == name) found = value;
        }
    }
    return found;
}

bool is_off(const std::string& text) {
    return text == "off" || text == "0";
}

// Collects the first thing that is wrong; later ones keep quiet.
class Reader {
public:
    template <class T>
    void number(const char* flag, const std::string& text, T& to, unsigned min, unsigned max) {
        const auto value = config::parse_unsigned(text);
        if (value && *value >= min && *value <= max)
            to = *value;
        else
            wrong(fmt::format("{} takes a number from {} to {}, not \"{}\"", flag, min, max, text));
    }
    void time(const char* flag, const std::string& text, Duration& to) {
        const auto value = config::parse_duration(text);
        if (value && *value >= Duration::zero() && *value <= config::kLongestOfFleets)
            to = *value;
        else
            wrong(fmt::format("{} takes a time as 30s, 500ms, 2m or 1h, not \"{}\"", flag, text));
    }
    void wrong(std::string sentence) {
        if (error.empty()) error = std::move(sentence);
    }
    std::string error;
};

void read_recycling(const RunOptions& options, Reader& reader, config::Fleet& fleet) {
    if (is_off(options.max_jobs))
        fleet.max_jobs = 0;
    else if (!options.max_jobs.empty())
        reader.number("--max-jobs", options.max_jobs, fleet.max_jobs.emplace(), 1, config::kMostJobs);
    if (is_off(options.max_time))
        fleet.max_time = Duration::zero();
    else if (!options.max_time.empty())
        reader.time("--max-time", options.max_time, fleet.max_time.emplace());
    if (options.max_rss.empty() || is_off(options.max_rss)) return;
    if (const auto size = config::parse_size(options.max_rss))
        fleet.max_rss = *size;
    else
        reader.wrong(fmt::format("--max-rss takes a size as 256M or 1G, not \"{}\"", options.max_rss));
}

void check_combinations(const RunOptions& options, Reader& reader) {
    const auto only_with = [&](bool given, bool allowed, std::string_view flag, std::string_view with) {
        if (given && !allowed) reader.wrong(fmt::format("{} belongs to {}", flag, with));
    };
    const bool jobs = !options.jobs.empty();
    only_with(!options.journal.empty(), jobs, "--journal", "--jobs");
    if (options.top && options.logs.empty()) {
        reader.wrong("--top needs --logs FOLDER: the workers' output would run through the screen");
    }
    only_with(options.wait, !options.single.empty(), "--wait", "--single NAME");
    for (const auto& [given, flag] :
         {std::pair(!options.max_jobs.empty(), "--max-jobs"), std::pair(!options.max_time.empty(), "--max-time"),
          std::pair(!options.max_rss.empty(), "--max-rss"), std::pair(!options.job_line.empty(), "--job-line"),
          std::pair(options.top, "--top")}) {
        only_with(given, !jobs, flag, "workers that go on and on, not to --jobs");
    }
}

}  // namespace

Result<RunPlan> plan_of(const RunOptions& options) {
    RunPlan plan;
    config::Fleet fleet;
    Reader reader;
    if (!options.workers.empty()) {
        reader.number("--workers", options.workers, fleet.workers, 1, config::kMostWorkers);
    } else if (const auto limit = setting("DB_CONNECTION_LIMIT"); !limit.empty()) {
        reader.number("DB_CONNECTION_LIMIT", limit, fleet.workers, 1, config::kMostWorkers);
    }
    if (options.batch == "auto")
        fleet.batch.reset();
    else
        reader.number("--batch", options.batch, *fleet.batch, 1, config::kMostWorkers);
    reader.time("--batch-delay", options.batch_delay, fleet.batch_delay);
    reader.time("--stop-timeout", options.stop_timeout, fleet.stop_timeout);
    if (const auto restart = config::parse_restart(options.restart))
        fleet.restart = *restart;
    else
        reader.wrong(fmt::format("--restart takes always, on-failure or never, not \"{}\"", options.restart));
    read_recycling(options, reader, fleet);
    plan.policy = fleet::policy_of(fleet);
    check_combinations(options, reader);
    if (!options.api.empty()) {
        auto endpoint = config::parse_endpoint(options.api);
        if (endpoint)
            plan.api = std::move(*endpoint);
        else
            reader.wrong(fmt::format("--api {}", endpoint.error().message));
    }
    plan.api_token = setting("TIDEGATE_API_TOKEN");
    if (options.top && ::isatty(STDERR_FILENO) != 1) reader.wrong("--top needs a terminal");
    if (options.command.empty()) reader.wrong("a command is needed: tidegate run [flags] -- php worker.php");
    if (!options.command.empty() && options.command.front().starts_with('-')) {
        reader.wrong(fmt::format("there is no flag {}; see tidegate run --help", options.command.front()));
    }
    if (!reader.error.empty()) return fail(reader.error);
    return plan;
}

}  // namespace tidegate::cli
