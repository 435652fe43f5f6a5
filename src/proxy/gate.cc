#include "proxy/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/ask.h"
#include "net/listener.h"
#include "net/signals.h"
#include "proxy/core.h"

namespace tidegate::proxy {

namespace {
constexpr Duration kLastOrders = 2s;  // for KILLs and goodbyes, when the clients have been cut off
constexpr Duration kPatience = 35s;   // with the server, for those who ask it over the standing connection
constexpr Duration kLook = 100ms;     // so often they look whether the gate has ended
constexpr std::uint16_t kLost = 2013;
constexpr std::uint16_t kStopping = 1053;
constexpr std::uint16_t kNoSuchThread = 1094;
constexpr std::uint16_t kBusy = 1105;

ServerAnswer text_of(const Answer& answer) {
    ServerAnswer text;
    for (const Answer::Column& each : answer.columns()) text.columns.emplace_back(each.name);
    for (const auto& row : answer.rows()) {
        auto& cells = text.rows.emplace_back();
        for (const auto& cell : row) cells.push_back(cell ? std::optional<std::string>(*cell) : std::nullopt);
    }
    return text;
}

}  // namespace

class Gate::Impl {
public:
    Impl(config::Config config, Hooks hooks)
        : hooks_(std::move(hooks)), signals_(loop_, {SIGTERM, SIGINT, SIGHUP}), core_(loop_, std::move(config)) {
        std::signal(SIGPIPE, SIG_IGN);
    }

    Result<void> set_up() {
        const Result<void> made = core_.set_up();
        if (!made) return made;
        const config::Listen& listen = core_.config.listen;
        if (listen.address) {
            auto addresses = net::Address::resolve(listen.address->host, listen.address->port);
            if (!addresses) return std::unexpected(addresses.error());
            const Result<void> opened = open(addresses->front());
            if (!opened) return opened;
            port_ = listeners_.back()->port();
        }
        if (!listen.unix_path.empty()) {
            auto address = net::Address::unix_path(listen.unix_path);
            if (!address) return std::unexpected(address.error());
            const Result<void> opened = open(*address);
            if (!opened) return opened;
        }
        return {};
    }

    int run() {
        for (auto& each : listeners_) net::spawn(accept(*each));
        net::spawn(handle_signals());
        net::spawn(core_.monitor.run());
        if (hooks_.ready) hooks_.ready();
        loop_.run([this](TimePoint now) { tick(now); });
        ended_ = true;
        return 0;
    }

    Snapshot snapshot() {
        auto answer = net::ask(loop_, [this] {
            Snapshot shown = core_.snapshot();
            shown.draining = stopping_;
            shown.port = port_;
            return shown;
        });
        const std::scoped_lock lock(mutex_);
        if (answer) last_ = std::move(*answer);
        return last_;
    }

    Clients clients() {
        return net::ask(loop_, [this] { return core_.clients_now(); }).value_or(Clients{});
    }

    std::vector<ServerConnectionView> connections() {
        return net::ask(loop_, [this] { return core_.connections_now(); })
            .value_or(std::vector<ServerConnectionView>());
    }
    std::vector<config::Setting> settings() {
        return net::ask(loop_, [this] { return config::show(core_.config); }).value_or(std::vector<config::Setting>());
    }

    Result<void> order(std::function<Result<void>()> what) {
        auto done = net::ask(loop_, std::move(what));
        if (!done) return fail(kBusy, "HY000", "the gate is busy and did not answer in time; it may still do it");
        return std::move(*done);
    }
    Result<void> set_paused(bool paused) {
        if (stopping_) return fail(kStopping, "08S01", "the gate is stopping");
        log::info("{}", paused ? "Paused: nobody gets a server connection until RESUME, or the time in line is over"
                               : "Resumed");
        core_.pool.set_mode(paused ? pool::Mode::paused : pool::Mode::running, loop_.now());
        return {};
    }
    Result<void> kill(std::uint32_t id, bool query_only) {
        ClientSession* client = core_.client(id);
        if (client == nullptr)
            return fail(kNoSuchThread, "HY000", fmt::format("Unknown thread id: {}; SHOW CLIENTS has the ids", id));
        net::spawn(client->kill(query_only));
        return {};
    }

    Result<void> reload() {
        if (!hooks_.reload) return fail("this gate has no configuration to read again");
        auto config = hooks_.reload();
        if (config) {
            core_.reload(std::move(*config));
            for (Companion* each : companions_) each->reload(core_.config);
            log::info("The configuration was read again");
            return {};
        }
        log::error("The configuration was not read again, the one before stays: {}", config.error().message);
        return fail(fmt::format("not reloaded, all stays as it was: {}", config.error().message));
    }

    Result<ServerAnswer> ask_server(const std::string& statement) {
        using Promise = std::promise<Result<ServerAnswer>>;
        auto promise = std::make_shared<Promise>();
        auto answer = promise->get_future();
        loop_.post([this, promise, statement] { core_.spawn(ask_task(statement, promise)); });
        for (const auto patience = Clock::now() + kPatience; Clock::now() < patience && !ended_;) {
            if (answer.wait_for(kLook) == std::future_status::ready) return answer.get();
        }
        return fail(kLost, "08S01", "the gate did not hear from its server in time");
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    void add(Companion& companion) { companions_.push_back(&companion); }
    [[nodiscard]] net::Loop& loop() { return loop_; }
    [[nodiscard]] Core& core() { return core_; }

private:
    net::Task<void> ask_task(std::string statement, std::shared_ptr<std::promise<Result<ServerAnswer>>> promise) {
        const Result<Answer> answer = co_await core_.monitor.ask(std::move(statement));
        if (!answer)
            promise->set_value(std::unexpected(answer.error()));
        else if (answer->outcome.error)
            promise->set_value(std::unexpected(answer->error));
        else
            promise->set_value(text_of(*answer));
    }

    Result<void> open(const net::Address& address) {
        auto listener = net::Listener::open(loop_, address);
        if (!listener) return std::unexpected(listener.error());
        listeners_.push_back(std::move(*listener));
        return {};
    }

    net::Task<void> accept(net::Listener& listener) {
        while (true) {
            auto stream = co_await listener.accept();
            if (!stream) co_return;
            core_.admit(std::move(stream));
        }
    }

    net::Task<void> handle_signals() {
        while (true) {
            const int number = co_await signals_.next();
            if (number == 0) co_return;
            if (number == SIGHUP) {
                (void)reload();
            } else if (!stopping_) {
                stop();
            } else {
                log::warn("Told to stop a second time: clients are cut off");
                give_up_at_ = loop_.now();
            }
        }
    }

    // First those who work through the gate finish, while it serves as ever; then its clients.
    void stop() {
        stopping_ = true;
        give_up_at_ = loop_.now() + core_.config.listen.drain_timeout;
        log::info("Stopping: {} clients are connected; transactions may take {} s to finish", core_.clients(),
                  seconds(core_.config.listen.drain_timeout));
        if (hooks_.stopping) hooks_.stopping();
        for (Companion* each : companions_) each->finish_work();
        drain_when_work_is_finished();
    }

    void drain_when_work_is_finished() {
        const bool late = loop_.now() >= give_up_at_;
        const bool finished = std::ranges::all_of(companions_, [](Companion* each) { return each->work_finished(); });
        if (!finished && !late) return;
        if (!finished) std::ranges::for_each(companions_, &Companion::cut_off);
        draining_ = true;
        for (auto& each : listeners_) each->shut();
        core_.start_draining();
        for (Companion* each : companions_) each->drain();
    }

    void tick(TimePoint now) {
        core_.tick(now);
        for (Companion* each : companions_) each->tick(now);
        if (stopping_ && !draining_) drain_when_work_is_finished();
        if (!draining_) return;
        if (now >= give_up_at_) core_.end_clients();
        if (now >= give_up_at_ + kLastOrders) core_.give_server_up();
        if (core_.clients() > 0 || !core_.idle()) return;
        if (!std::ranges::all_of(companions_, [](Companion* each) { return each->idle(); })) return;
        core_.monitor.stop();
        if (!core_.monitor.ended()) return;
        signals_.stop();
        loop_.stop();
    }

    Hooks hooks_;
    net::Loop loop_;
    net::Signals signals_;
    Core core_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::vector<Companion*> companions_;
    std::uint16_t port_ = 0;
    std::atomic<bool> ended_ = false;
    bool stopping_ = false;  // told to
    bool draining_ = false;  // .. and nobody works through the gate any more but its clients
    TimePoint give_up_at_{};
    std::mutex mutex_;
    Snapshot last_;
};

Gate::Gate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gate::~Gate() = default;

Result<std::unique_ptr<Gate>> Gate::create(config::Config config, Hooks hooks) {
    auto impl = std::make_unique<Impl>(std::move(config), std::move(hooks));
    const Result<void> made = impl->set_up();
    if (!made) return std::unexpected(made.error());
    return std::unique_ptr<Gate>(new Gate(std::move(impl)));
}

int Gate::run() {
    return impl_->run();
}
Snapshot Gate::snapshot() {
    return impl_->snapshot();
}
Clients Gate::clients() {
    return impl_->clients();
}
std::vector<ServerConnectionView> Gate::connections() {
    return impl_->connections();
}
std::vector<config::Setting> Gate::settings() {
    return impl_->settings();
}
Result<void> Gate::pause() {
    return impl_->order([this] { return impl_->set_paused(true); });
}
Result<void> Gate::resume() {
    return impl_->order([this] { return impl_->set_paused(false); });
}
Result<void> Gate::reload() {
    return impl_->order([this] { return impl_->reload(); });
}
Result<void> Gate::kill(std::uint32_t client, bool query_only) {
    return impl_->order([this, client, query_only] { return impl_->kill(client, query_only); });
}
void Gate::set_console(Console& console) {
    impl_->core().console = &console;
}
Result<ServerAnswer> Gate::ask_server(const std::string& statement) {
    return impl_->ask_server(statement);
}
void Gate::add(Companion& companion) {
    impl_->add(companion);
}
net::Loop& Gate::loop() {
    return impl_->loop();
}
Seats& Gate::seats() {
    return impl_->core().seats;
}
unsigned Gate::limit() const {
    return impl_->core().budget.limit();
}
std::vector<bool> Gate::who_rests(std::span<const Party> parties) const {
    return proxy::who_rests(impl_->core(), parties);
}
Occupancy Gate::occupancy() const {
    return impl_->core().occupancy();
}
std::uint16_t Gate::port() const {
    return impl_->port();
}

}  // namespace tidegate::proxy
