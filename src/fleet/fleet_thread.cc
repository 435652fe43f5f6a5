#include "fleet/fleet_thread.h"

#include <fmt/core.h>
#include <pthread.h>

#include <csignal>
#include <utility>

#include "fleet/connections.h"

namespace tidegate::fleet {
namespace {

constexpr Duration kLookInterval = 200ms;  // at the gate
constexpr std::uint16_t kUnavailable = 503;

}  // namespace

FleetThread::FleetThread(proxy::Gate& gate, const std::vector<config::Fleet>& fleets, std::uint64_t open_files)
    : gate_(gate), signals_(loop_, {SIGCHLD}), fleets_(loop_, open_files) {
    if (!fleets.empty()) begin(fleets);
}

FleetThread::~FleetThread() {
    if (!thread_.joinable()) return;
    if (runs_) cut_off();  // the gate ends without having finished its work
    if (runs_) loop_.post([this] { fleets_.drain(); });
    thread_.join();
}

void FleetThread::begin(const std::vector<config::Fleet>& fleets) {
    fleets_.apply(fleets);
    runs_ = true;
    thread_ = std::thread([this] { run(); });
}

void FleetThread::run() {
    ::pthread_setname_np(::pthread_self(), "fleets");
    net::spawn(hear_of_ends());
    loop_.run([this](TimePoint now) {
        fleets_.tick(now);
        if (!fleets_.over()) return;
        signals_.stop();
        loop_.stop();
    });
    runs_ = false;
}

net::Task<void> FleetThread::hear_of_ends() {
    while (true) {
        const int number = co_await signals_.next();
        if (number == 0) co_return;
        while (const auto child = next_ended_child()) fleets_.ended(*child);
    }
}

// --- on the gate's loop

void FleetThread::tick(TimePoint now) {
    if (!runs_ || now < next_look_) return;
    next_look_ = now + kLookInterval;
    const proxy::Occupancy gate = gate_.occupancy();
    const Load load{.connected = gate.active,
                    .limit = gate.limit,
                    .waiting = gate.waiting,
                    .refused = gate.refused_by_server,
                    .shared = true};
    loop_.post([this, load, up = gate.server_is_up] {
        fleets_.seen(load, up);
        ask_who_rests();
    });
}

// On the fleets' thread, which looks up whose connections there are; the gate says which of them rest.
void FleetThread::ask_who_rests() {
    auto workers = fleets_.waiting_unheard();
    if (workers.empty()) return;
    std::vector<pid_t> leaders;
    leaders.reserve(workers.size());
    for (const auto& worker : workers) leaders.push_back(worker.pid);
    gate_.loop().post([this, workers = std::move(workers), parties = parties_of(leaders)] {
        loop_.post([this, workers, rests = gate_.who_rests(parties)] {
            for (std::size_t i = 0; i < workers.size(); ++i) {
                if (rests[i]) fleets_.idle(workers[i]);
            }
        });
    });
}

void FleetThread::reload(const config::Config& config) {
    if (finishing_) return;
    if (runs_)
        loop_.post([this, fleets = config.fleets] { fleets_.apply(fleets); });
    else if (!config.fleets.empty())
        begin(config.fleets);
}

void FleetThread::finish_work() {
    finishing_ = true;
    if (runs_) loop_.post([this] { fleets_.drain(); });
}

void FleetThread::cut_off() {
    if (runs_) loop_.post([this] { fleets_.cut_off(); });
}

// --- from any thread

std::vector<FleetView> FleetThread::views() {
    if (!runs_) return {};
    return views_.ask(loop_, [this] { return fleets_.views(); }, [this] { return runs_.load(); });
}

template <class Question>
std::invoke_result_t<Question, GateFleet&> FleetThread::ask(const std::string& name, Question question) {
    using Answer = std::invoke_result_t<Question, GateFleet&>;
    if (!runs_) return fail(404, "HY000", fmt::format("there is no fleet {}; this gate has none", name));
    auto answer = net::ask(loop_, [this, name, question = std::move(question)]() -> Answer {
        auto fleet = fleets_.find(name);
        if (!fleet) return std::unexpected(fleet.error());
        return question(**fleet);
    });
    if (!answer) return fail(kUnavailable, "HY000", "the fleets did not answer within a second; ask again");
    return std::move(*answer);
}

Result<std::string> FleetThread::scale(const std::string& name, unsigned workers) {
    return ask(name, [workers](GateFleet& fleet) { return fleet.scale(workers); });
}

Result<std::string> FleetThread::restart(const std::string& name) {
    return ask(name, [](GateFleet& fleet) { return fleet.restart(); });
}

Result<LogPage> FleetThread::logs(const std::string& name, std::uint64_t after, std::size_t most) {
    return ask(name, [after, most](GateFleet& fleet) -> Result<LogPage> { return fleet.logs(after, most); });
}

}  // namespace tidegate::fleet
