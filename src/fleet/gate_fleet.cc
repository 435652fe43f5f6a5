#include "fleet/gate_fleet.h"

#include <fmt/core.h>

#include <random>
#include <utility>

#include "base/log.h"

namespace tidegate::fleet {
namespace {

constexpr Duration kNameTried = 1s;  // a name that somebody else has is tried again so often

}  // namespace

std::string_view text_of(FleetState state) {
    switch (state) {
        case FleetState::waiting:
            return "waiting";
        case FleetState::running:
            return "running";
        case FleetState::done:
            return "done";
        case FleetState::stopping:
            return "stopping";
        case FleetState::given_up:
            return "given up";
    }
    return "waiting";
}

void GateFleet::say(Level level, const std::string& sentence) const {
    const auto line = fmt::format("Fleet {}: {}", config_.name, sentence);
    if (level == Level::info)
        log::info("{}", line);
    else if (level == Level::warning)
        log::warn("{}", line);
    else
        log::error("{}", line);
}

Output::Settings GateFleet::output() const {
    return {.prefix = config_.prefix, .folder = config_.logs, .name = config_.name};
}

void GateFleet::wait_for(std::string reason) {
    if (!supervisor_) waiting_for_ = std::move(reason);
}

// False: somebody else has it.
Result<bool> GateFleet::take_name() {
    if (config_.single.empty() || single_) return true;
    Single::Holder holder;
    auto taken = Single::take(config_.single, holder);
    if (!taken) return std::unexpected(taken.error());
    if (*taken) {
        single_.emplace(std::move(**taken));
        return true;
    }
    auto reason = fmt::format("the name \"{}\": {} has it", config_.single, text_of(holder));
    if (reason != waiting_for_) say(Level::info, fmt::format("Waits for {}", reason));
    waiting_for_ = std::move(reason);
    return false;
}

void GateFleet::fail(const Error& error) {
    trouble_ = error.message;
    say(Level::error, fmt::format("It cannot be started: {}", error.message));
}

void GateFleet::start() {
    if (supervisor_ || stopping_ || !trouble_.empty() || around_.loop.now() < next_try_) return;
    const auto named = take_name();
    if (!named) return fail(named.error());
    if (!*named) {
        next_try_ = around_.loop.now() + kNameTried;
        return;
    }
    SupervisorOptions options;
    options.name = config_.name;
    options.policy = policy_of(config_);
    options.command = config_.command;
    options.job_line = config_.job_line;
    options.output = output();
    options.seed = std::random_device()();
    options.hold = single_ ? single_->fd() : -1;
    options.open_files = around_.open_files;
    options.say = [this](Level level, const std::string& sentence) { say(level, sentence); };
    options.server_figures = [this] { return around_.load ? around_.load->text() : std::string(); };
    options.tap = [this](WorkerId id, Stream stream, std::string_view text) {
        ring_.add(id, stream == Stream::err, text, around_.loop.now());
    };
    auto made = Supervisor::make(around_.loop, std::move(options));
    if (!made) return fail(made.error());
    supervisor_ = std::move(*made);
    waiting_for_.clear();
}

void GateFleet::change(config::Fleet to) {
    if (to == config_) return;
    const config::Fleet before = std::exchange(config_, std::move(to));
    next_try_ = {};
    trouble_.clear();
    if (!supervisor_) return;
    if (given_up()) {
        supervisor_.reset();
        return;
    }
    auto only_scaled = before;
    only_scaled.workers = config_.workers;
    if (only_scaled != config_) {
        const auto done = supervisor_->change(policy_of(config_), config_.command, config_.job_line, output());
        if (!done) {
            config_ = before;
            say(Level::error, fmt::format("It goes on as it was: {}", done.error().message));
            return;
        }
    }
    if (before.workers != config_.workers) supervisor_->scale(config_.workers);
    if (only_scaled != config_) supervisor_->roll();
}

void GateFleet::drain() {
    if (std::exchange(stopping_, true) || !supervisor_) return;
    supervisor_->drain();
}

void GateFleet::cut_off() {
    if (supervisor_ && !supervisor_->finished()) supervisor_->cut_off();
}

void GateFleet::tick(TimePoint now) {
    if (supervisor_) supervisor_->tick(now);
}

bool GateFleet::ended(const EndedChild& child) {
    return supervisor_ && supervisor_->ended(child);
}

bool GateFleet::given_up() const {
    return supervisor_ && !supervisor_->fleet().verdict().empty();
}

bool GateFleet::over() const {
    return stopping_ && (!supervisor_ || supervisor_->finished());
}

Result<std::string> GateFleet::scale(unsigned workers) {
    if (given_up()) {
        return tidegate::fail(fmt::format("the fleet {} was given up; begin anew with: tidegate ctl restart {}",
                                          config_.name, config_.name));
    }
    if (!supervisor_) return tidegate::fail(fmt::format("the fleet {} is not started yet", config_.name));
    const unsigned before = supervisor_->fleet().figures().workers;
    if (before == workers) return fmt::format("the fleet {} has {} workers already", config_.name, workers);
    supervisor_->scale(workers);
    return fmt::format("the fleet {} goes from {} workers to {}", config_.name, before, workers);
}

Result<std::string> GateFleet::restart() {
    if (given_up() && !supervisor_->finished())
        return tidegate::fail(fmt::format("the fleet {} was given up; its last workers are ending", config_.name));
    if (!trouble_.empty() || (supervisor_ && supervisor_->finished())) {
        supervisor_.reset();
        trouble_.clear();
        say(Level::info, "Begins anew");
        start();
        return fmt::format("the fleet {} begins anew", config_.name);
    }
    if (!supervisor_) return tidegate::fail(fmt::format("the fleet {} is not started yet", config_.name));
    const unsigned alive = supervisor_->fleet().figures().alive();
    supervisor_->roll();
    return fmt::format("workers of the fleet {} that are replaced, a few at a time: {}", config_.name, alive);
}

unsigned GateFleet::wants_room() const {
    if (!supervisor_ || stopping_ || config_.batch) return 0;
    const auto figures = supervisor_->fleet().figures();
    return figures.waiting + figures.resting;
}

void GateFleet::room(unsigned workers) {
    if (supervisor_ && !config_.batch) supervisor_->room(workers);
}

FleetView GateFleet::view() {
    FleetView view;
    view.name = config_.name;
    view.logs = config_.logs;
    view.now = around_.loop.now();
    if (!supervisor_) {
        view.state = !trouble_.empty() ? FleetState::given_up : stopping_ ? FleetState::stopping : FleetState::waiting;
        view.why = !trouble_.empty() ? trouble_ : waiting_for_;
        view.figures.workers = config_.workers;
        return view;
    }
    const Fleet& fleet = supervisor_->fleet();
    supervisor_->measure();
    view.figures = fleet.figures();
    view.why = fleet.verdict();
    if (given_up())
        view.state = FleetState::given_up;
    else if (stopping_)
        view.state = FleetState::stopping;
    else
        view.state = view.figures.done > 0 && fleet.finished() ? FleetState::done : FleetState::running;
    for (const auto& worker : fleet.workers()) {
        if (worker.state != WorkerState::removed)
            view.workers.push_back({.worker = worker, .pid = supervisor_->pid(worker.id)});
    }
    return view;
}

LogPage GateFleet::logs(std::uint64_t after, std::size_t most) const {
    return {.lines = ring_.lines(after, most), .last = ring_.last(), .now = around_.loop.now()};
}

}  // namespace tidegate::fleet
