#include "watch/rule_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "watch/killer.h"
#include "watch/probe.h"

namespace tidegate::watch {
namespace {

class ThroughGate final : public Session {
public:
    explicit ThroughGate(proxy::Gate& gate) : gate_(gate) {}
    Result<Table> ask(const std::string& sql) override {
        auto answer = gate_.ask_server(sql);
        if (!answer) return std::unexpected(answer.error());
        return Table{std::move(answer->columns), std::move(answer->rows)};
    }
    [[nodiscard]] std::string way() const override { return "through the gate's standing connection"; }

private:
    proxy::Gate& gate_;
};

}  // namespace

RuleThread::Settings RuleThread::settings_of(const config::Config& config) {
    return {.rules = config.kill_rules,
            .server = {config.server.host, config.server.port, config.server.socket},
            .has_account = config.server.has_account()};
}

RuleThread::RuleThread(proxy::Gate& gate, const Settings& settings)
    : gate_(gate), session_(std::make_unique<ThroughGate>(gate)) {
    apply(settings);
}

RuleThread::~RuleThread() {
    drain();
    if (thread_.joinable()) thread_.join();
}

void RuleThread::apply(const Settings& settings) {
    {
        const std::scoped_lock lock(mutex_);
        rules_.set(settings.rules, Clock::now());
        address_ = settings.server;
        if (!rules_.empty() && !settings.has_account) {
            log::warn("The rules of [[kill]] do nothing: they need the monitor's account, in `url` of [server]");
            rules_.set({}, Clock::now());
        }
        if (!rules_.empty() && !thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    changed_.notify_all();
}

void RuleThread::drain() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
}

void RuleThread::run() {
    ::pthread_setname_np(::pthread_self(), "kill rules");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto now = Clock::now();
        const auto turns = rules_.due(now);
        if (turns.empty()) {
            // A day at most: the end of time is more than some clocks can add up to.
            changed_.wait_until(lock, std::min(rules_.next(), now + 24h));
            continue;
        }
        lock.unlock();
        take_turns(turns);
        lock.lock();
    }
}

Result<Snapshot> RuleThread::look() {
    const auto now = std::chrono::system_clock::now();
    auto snapshot = last_ ? watch::look_again(*session_, *last_, now) : watch::look(*session_, now);
    if (!snapshot) {
        last_.reset();  // it may be another server when it is back
        return snapshot;
    }
    ServerAddress address;
    {
        const std::scoped_lock lock(mutex_);
        address = address_;
    }
    if (const auto local = look_locally(address)) name_programs(snapshot->connections, *local);
    mark_gates(snapshot->connections, gate_.clients().server_connections);
    last_ = *snapshot;
    return snapshot;
}

void RuleThread::take_turns(const std::vector<Rules::Turn>& turns) {
    const auto snapshot = look();
    if (!snapshot) {
        log::debug("The rules of [[kill]] cannot look at the server: {}", snapshot.error().message);
        return;
    }
    for (const auto& turn : turns) take_turn(turn, *snapshot);
}

void RuleThread::take_turn(const Rules::Turn& turn, const Snapshot& snapshot) {
    for (const auto& victim : choose(snapshot, turn.filter, Victims::all, turn.limit).victims) {
        if (turn.dry_run) {
            const std::scoped_lock lock(mutex_);
            if (rules_.is_news(turn.name, victim.id))
                log::info("Rule {} would end, when its dry run is over: {}", turn.name, sentence_of(victim));
            continue;
        }
        const auto killed = kill(*session_, snapshot, victim, turn.query_only);
        if (killed.end == End::ended) {
            log::warn("Rule {} {} {} ({})", turn.name, turn.query_only ? "stopped the statement of" : "ended",
                      sentence_of(victim), turn.filter.text());
        } else if (killed.end == End::refused) {
            log::warn("Rule {} could not end {}: {}", turn.name, sentence_of(victim), killed.why);
        }
    }
}

}  // namespace tidegate::watch
