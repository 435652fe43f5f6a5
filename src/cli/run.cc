// `tidegate run`: a fleet of workers, or a list of jobs, from the command line to the last exit code.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/load_probe.h"
#include "cli/run_options.h"
#include "cli/run_top.h"
#include "cli/status_line.h"
#include "fleet/job_runner.h"
#include "fleet/line_reader.h"
#include "fleet/pace.h"
#include "fleet/single.h"
#include "fleet/supervisor.h"
#include "net/signals.h"

namespace tidegate::cli {
namespace {

using fleet::Level;

constexpr Duration kLookInterval = 200ms;

// What workers and jobs share: the loop, the signals, the server's room, the last line of the terminal.
class Run {
public:
    Run(const RunOptions& options, RunPlan plan, int hold)
        : options_(options),
          plan_(std::move(plan)),
          hold_(hold),
          signals_(loop_, {SIGTERM, SIGINT, SIGHUP, SIGTTIN, SIGTTOU, SIGCHLD}) {}
    virtual ~Run() = default;
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    int run() {
        auto source = source_of_load();
        if (!source) return complain(source.error(), kUsage);
        const auto made = make();
        if (!made) return complain(made.error(), kCritical);
        if (source->server || source->api) {
            const bool paced = plan_.policy.batch == 0;
            probe_.emplace(std::move(*source),
                           paced ? kLookInterval : std::max<Duration>(plan_.policy.batch_delay, 500ms), paced,
                           [this](Look look) { loop_.post([this, look] { seen(look); }); });
        }
        net::spawn(listen());
        const auto began = Clock::now();
        loop_.run([this](TimePoint now) {
            tick(now);
            draw(now);
            if (finished()) finish();
        });
        probe_.reset();
        status_.clear();
        top_.close();
        return conclude(seconds(Clock::now() - began));
    }

protected:
    [[nodiscard]] virtual Result<void> make() = 0;
    virtual void tick(TimePoint now) = 0;
    virtual void signal(int number) = 0;
    virtual void draw(TimePoint now) = 0;
    virtual void room(const fleet::Load& load) = 0;
    [[nodiscard]] virtual bool finished() const = 0;
    [[nodiscard]] virtual int conclude(double took) = 0;

    void say(Level level, const std::string& sentence) {
        status_.clear();
        if (options_.top) {
            top_.say(sentence);
            return;
        }
        if (level == Level::info)
            log::info("{}", sentence);
        else if (level == Level::warning)
            log::warn("{}", sentence);
        else
            log::error("{}", sentence);
    }

    [[nodiscard]] fleet::Output::Settings output() {
        return {.prefix = !options_.no_prefix, .folder = options_.logs, .before = [this] { status_.clear(); }};
    }

    // How many more may be started, and the reason where they are fewer than there is work for.
    unsigned room_for(const fleet::Load& load, unsigned running, bool wanted) {
        return room_.look(load, running, wanted, loop_.now(),
                          [this](const std::string& sentence) { say(Level::info, sentence); });
    }

    [[nodiscard]] std::string server_figures() const { return load_ ? load_->text() : std::string(); }

    const RunOptions& options_;
    RunPlan plan_;
    int hold_;
    net::Loop loop_;
    net::Signals signals_;
    StatusLine status_;
    TopScreen top_;

private:
    net::Task<void> listen() {
        for (;;) {
            const int number = co_await signals_.next();
            if (number == 0) co_return;
            signal(number);
        }
    }

    void finish() {
        signals_.stop();
        loop_.stop();
    }

    void seen(const Look& look) {
        if (look.load) {
            load_ = look.load;
            trouble_ = false;
            room(*look.load);
        } else if (plan_.policy.batch == 0 && !std::exchange(trouble_, true)) {
            say(Level::warning,
                fmt::format("Nothing more is started until the server can be asked for its room: {}", look.error));
        }
    }

    // Where the server's room is looked up. Needed for --batch auto; else its figures are shown where one is named.
    Result<LoadSource> source_of_load() {
        LoadSource source;
        source.token = plan_.api_token;
        room_ = fleet::Room(plan_.api ? 0 : options_.reserve);
        if (plan_.api) {
            source.api = plan_.api;
            return source;
        }
        config::Flags flags;
        flags.server = options_.server;
        auto loaded = config::load(collect_inputs("", flags));
        if (loaded && loaded->config.server.has_account()) {
            source.server = std::move(loaded->config.server);
            return source;
        }
        if (plan_.policy.batch != 0 && options_.server.empty()) return source;
        const auto why = loaded ? std::string(
                                      "no account is given to ask the server with; write it into the URL or "
                                      "set DB_USER and DB_PASSWORD")
                                : loaded.error().front().text();
        return fail(plan_.policy.batch == 0 ? "--batch auto asks the server for its room: " + why : why);
    }

    int complain(const Error& error, int code) {
        fmt::print(stderr, "tidegate: {}\n", error.message);
        return code;
    }

    std::optional<LoadProbe> probe_;
    std::optional<fleet::Load> load_;
    fleet::Room room_{0};
    bool trouble_ = false;
};

class WorkersRun : public Run {
public:
    using Run::Run;

private:
    Result<void> make() override {
        fleet::SupervisorOptions options;
        options.policy = plan_.policy;
        options.command = options_.command;
        options.job_line = options_.job_line;
        options.output = output();
        options.seed = std::random_device()();
        options.measure = options_.top;
        options.hold = hold_;
        options.say = [this](Level level, const std::string& sentence) { say(level, sentence); };
        options.server_figures = [this] { return server_figures(); };
        auto made = fleet::Supervisor::make(loop_, std::move(options));
        if (!made) return std::unexpected(made.error());
        supervisor_ = std::move(*made);
        return {};
    }

    void tick(TimePoint now) override { supervisor_->tick(now); }
    void signal(int number) override { supervisor_->signal(number); }
    [[nodiscard]] bool finished() const override { return supervisor_->finished(); }

    void room(const fleet::Load& load) override {
        if (plan_.policy.batch != 0) return;
        const auto figures = supervisor_->fleet().figures();
        supervisor_->room(room_for(load, figures.alive(), figures.waiting + figures.resting > 0));
    }

    void draw(TimePoint now) override {
        if (options_.top) {
            top_.draw(
                supervisor_->fleet(), [this](fleet::WorkerId id) { return supervisor_->pid(id); }, server_figures(),
                now);
            return;
        }
        if (!status_.shown()) return;
        const auto figures = supervisor_->fleet().figures();
        const auto server = server_figures();
        const double started = figures.workers - std::min(figures.waiting, figures.workers);
        auto text = figures.text();
        if (figures.jobs_done + figures.jobs_failed != 0)
            text += fmt::format("; {} jobs", figures.jobs_done + figures.jobs_failed);
        if (!server.empty()) text += "; " + server;
        status_.draw(figures.workers == 0 ? 1.0 : started / figures.workers, text, now);
    }

    int conclude(double took) override {
        const auto& fleet = supervisor_->fleet();
        const auto figures = fleet.figures();
        int code = kWell;
        if (figures.failed > 0 || figures.killed > 0) code = kAttention;
        if (!fleet.verdict().empty()) code = kCritical;
        if (options_.json) {
            const nlohmann::ordered_json json{
                {"workers", figures.workers},
                {"done", figures.done},
                {"failed", figures.failed},
                {"killed", figures.killed},
                {"restarts", figures.restarts},
                {"recycled", figures.recycled},
                {"crashes", figures.crashes},
                {"jobs_done", figures.jobs_done},
                {"jobs_failed", figures.jobs_failed},
                {"seconds", took},
                {"verdict",
                 fleet.verdict().empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(fleet.verdict())}};
            fmt::print("{}\n", json.dump(2));
            return code;
        }
        auto line = fmt::format("{} workers in {:.1f} s: {} done, {} failed", figures.workers, took, figures.done,
                                figures.failed);
        if (figures.restarts != 0)
            line += fmt::format(", {} started again ({} of them replaced)", figures.restarts, figures.recycled);
        if (figures.jobs_done + figures.jobs_failed != 0) {
            line += fmt::format("; {} jobs done, {} failed", figures.jobs_done, figures.jobs_failed);
        }
        if (figures.killed != 0) line += fmt::format("; {} killed", figures.killed);
        log::info("{}", line);
        return code;
    }

    std::unique_ptr<fleet::Supervisor> supervisor_;
};

class JobsRun : public Run {
public:
    using Run::Run;

private:
    Result<void> make() override {
        int fd = STDIN_FILENO;
        if (options_.jobs != "-") fd = ::open(options_.jobs.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return fail(fmt::format("the jobs {} cannot be read: {}", options_.jobs, std::strerror(errno)));
        fleet::JobRunnerOptions options;
        options.command = options_.command;
        options.at_once = plan_.policy.workers;
        options.retries = options_.retries;
        options.paced = plan_.policy.batch == 0;
        options.stop_timeout = plan_.policy.stop_timeout;
        options.output = output();
        options.journal = options_.journal;
        options.hold = hold_;
        options.say = [this](Level level, const std::string& sentence) { say(level, sentence); };
        auto made = fleet::JobRunner::make(loop_, std::move(options));
        if (!made) return std::unexpected(made.error());
        runner_ = std::move(*made);
        reader_.emplace(loop_, fd, [this](std::vector<std::string> lines, bool last) {
            for (auto& line : lines) runner_->add(std::move(line));
            if (last) runner_->no_more();
            read_all_ = last;
        });
        return {};
    }

    void tick(TimePoint now) override {
        if (!read_all_ && runner_->wants_more()) reader_->more();
        runner_->tick(now);
    }
    void signal(int number) override { runner_->signal(number); }
    [[nodiscard]] bool finished() const override { return runner_->finished(); }

    void room(const fleet::Load& load) override {
        if (plan_.policy.batch != 0) return;
        const auto figures = runner_->figures();
        runner_->room(room_for(load, static_cast<unsigned>(figures.running), figures.waiting > 0));
    }

    void draw(TimePoint now) override {
        if (!status_.shown()) return;
        const auto figures = runner_->figures();
        const auto ended = figures.done + figures.failed + figures.skipped;
        status_.draw(static_cast<double>(ended) / static_cast<double>(std::max<std::uint64_t>(figures.seen, 1)),
                     fmt::format("{}/{} jobs: {}", ended, figures.seen, figures.text()), now);
    }

    int conclude(double took) override {
        const auto figures = runner_->figures();
        int code = figures.failed > 0 ? kAttention : kWell;
        if (!runner_->complete()) code = kTryAgain;
        if (!runner_->verdict().empty()) code = kCritical;
        if (options_.json) {
            auto failures = nlohmann::ordered_json::array();
            for (const auto& each : runner_->failures()) {
                failures.push_back(
                    {{"job", each.number}, {"line", each.line}, {"exit_code", fleet::shell_code(each.exit)}});
            }
            const nlohmann::ordered_json json{{"jobs", figures.seen},
                                              {"done", figures.done},
                                              {"failed", figures.failed},
                                              {"skipped", figures.skipped},
                                              {"retried", figures.retried},
                                              {"cut_off", figures.cut_off},
                                              {"left", figures.waiting},
                                              {"complete", runner_->complete()},
                                              {"seconds", took},
                                              {"failures", failures}};
            fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
            return code;
        }
        log::info("{} jobs in {:.1f} s: {}{}", figures.seen, took, figures.text(),
                  runner_->complete()        ? ""
                  : options_.journal.empty() ? "; not all were started"
                                             : "; the same command goes on from here");
        return code;
    }

    std::unique_ptr<fleet::JobRunner> runner_;
    std::optional<fleet::LineReader> reader_;
    bool read_all_ = false;
};

// The name, or an exit code: somebody else has it.
std::expected<std::optional<fleet::Single>, int> be_single(const RunOptions& options) {
    if (options.single.empty()) return std::optional<fleet::Single>();
    fleet::Single::Holder holder;
    auto taken = fleet::Single::take(options.single, holder);
    if (!taken) {
        fmt::print(stderr, "tidegate: {}\n", taken.error().message);
        return std::unexpected(kUsage);
    }
    if (*taken) return std::move(*taken);
    log::info("\"{}\" runs already: {} has the name{}", options.single, text_of(holder),
              options.wait ? "; waiting for its end" : "; nothing is started");
    if (!options.wait) return std::unexpected(kWell);
    auto waited = fleet::Single::wait(options.single);
    if (!waited) return std::unexpected(kUsage);
    return std::optional<fleet::Single>(std::move(*waited));
}

}  // namespace

int run_fleet(const RunOptions& options) {
    log::set_up("info", log::Format::text);
    auto plan = plan_of(options);
    if (!plan) {
        fmt::print(stderr, "tidegate: {}\n", plan.error().message);
        return kUsage;
    }
    const auto single = be_single(options);
    if (!single) return single.error();
    const int hold = *single ? (*single)->fd() : -1;
    if (options.jobs.empty()) return WorkersRun(options, std::move(*plan), hold).run();
    return JobsRun(options, std::move(*plan), hold).run();
}

}  // namespace tidegate::cli
