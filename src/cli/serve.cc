// `tidegate serve`: reads the configuration, starts the gate and the API, and says so to whoever waits for it.
#include <fmt/core.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "api/console/desk.h"
#include "api/server.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/ensure.h"
#include "cli/inputs.h"
#include "cli/notify.h"
#include "config/values.h"
#include "fleet/fleet_thread.h"
#include "net/listener.h"
#include "net/signals.h"
#include "proxy/gate.h"
#include "slots/server.h"
#include "watch/rule_thread.h"

namespace tidegate::cli {
namespace {

using config::Config;

int refuse(const std::vector<config::Problem>& problems) {
    for (const auto& problem : problems) fmt::print(stderr, "tidegate: {}\n", problem.text());
    return kUsage;
}

int say_checked(const config::Loaded& loaded) {
    for (const auto& warning : loaded.warnings) fmt::print(stderr, "tidegate: warning: {}\n", warning.text());
    const auto& file = loaded.config.file;
    fmt::print("tidegate: {} good; the server is {}, from {}\n", file.empty() ? "the flags are" : file + " is",
               loaded.config.server.text(), loaded.server_from);
    return loaded.warnings.empty() ? kWell : kAttention;
}

// Every client and every server connection is a descriptor: takes as many as the system gives without asking.
// What the limit was before: that of the fleets' workers, since some programs break with a large one.
std::uint64_t raise_open_files(const Config& config) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const auto before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    constexpr rlim_t kOurOwn = 64;
    const rlim_t wanted = config.listen.max_clients + config.budget.max_connections.value_or(0) + kOurOwn;
    if (limit.rlim_cur < wanted) {
        log::warn(
            "Only {} files may be open (ulimit -n), too few for `max_clients` in [listen], {}; more clients than that "
            "wait",
            limit.rlim_cur, config.listen.max_clients);
    }
    return before;
}

std::string where_clients_connect(const config::Listen& listen, std::uint16_t port) {
    std::string where;
    if (auto address = listen.address) {
        address->port = port;
        where = address->text();
    }
    if (!listen.unix_path.empty()) where += (where.empty() ? "" : " and ") + listen.unix_path;
    return where;
}

std::string about_server(const config::Loaded& loaded) {
    const auto& server = loaded.config.server;
    const auto& limit = loaded.config.budget.max_connections;
    return fmt::format("the server is {} (from {}), {}; {}", server.text(), loaded.server_from,
                       server.has_account() ? fmt::format("watched as {}", server.user)
                                            : std::string("not watched, since no account is given"),
                       limit ? fmt::format("at most {} server connections", *limit)
                             : std::string("as many server connections as it allows"));
}

// One run of the gate, from the configuration to the end of its last client.
class Service {
public:
    Service(const ServeOptions& options, Starter* starter) : options_(options), starter_(starter) {}

    int run(config::Loaded loaded) {
        Config& config = loaded.config;
        log::set_up(config.log.level,
                    config.log.format == config::LogFormat::json ? log::Format::json : log::Format::text);
        for (const auto& warning : loaded.warnings) log::warn("{}", warning.text());
        const auto open_files = raise_open_files(config);
        net::Signals::block({SIGCHLD});  // before the first thread: it is the fleets' (fleet_thread.h)

        about_server_ = about_server(loaded);
        listen_ = config.listen;
        log_ = config.log;
        api_config_ = {.address = config.api.address, .token = config.api.token.clone()};
        slots_config_ = config.slots;
        const auto fleets = config.fleets;
        const auto rules = watch::RuleThread::settings_of(config);
        auto gate = proxy::Gate::create(std::move(config), hooks());
        if (!gate) return fail_to_start(gate.error());
        fleets_.emplace(**gate, fleets, open_files);
        (*gate)->add(*fleets_);
        rules_.emplace(**gate, rules);
        (*gate)->add(*rules_);
        if (const auto opened = open_slots(**gate); !opened) return fail_to_start(opened.error());
        if (const auto opened = open_api(**gate); !opened) return fail_to_start(opened.error());
        open_console(**gate);
        port_ = (*gate)->port();
        const int code = (*gate)->run();
        close_all();  // before the gate that they ask, and whose loop they are on
        return code;
    }

private:
    // Slots are given where their folder can be had. If nobody named one, a gate without slots is better than none.
    Result<void> open_slots(proxy::Gate& gate) {
        const char* named = std::getenv("TIDEGATE_SLOTS");
        const std::string folder = named != nullptr && *named != '\0' ? named : slots_config_.path;
        auto place = slots::find_place(folder);
        auto server = place ? slots::Server::open(
                                  gate.loop(), gate.seats(), [&gate] { return gate.limit(); }, slots_config_, *place)
                            : std::unexpected(place.error());
        if (server) {
            slots_ = std::move(*server);
            gate.add(*slots_);
            return {};
        }
        if (!slots_config_.path.empty()) return std::unexpected(server.error());
        log::warn("This gate gives no slots: {}", server.error().message);
        return {};
    }

    // Over TCP where it is wanted, and over the socket that `tidegate ctl` speaks to.
    Result<void> open_api(proxy::Gate& gate) {
        int control = -1;
        if (slots_) {
            const auto opened = net::listen_privately(slots_->place().control());
            if (opened)
                control = *opened;
            else
                log::warn("tidegate ctl cannot reach this gate: {}", opened.error().message);
        }
        if (!api_config_.address && control < 0) return {};
        api::Sources sources{.gate = [&gate] { return gate.snapshot(); }};
        if (slots_) sources.slots = [this] { return slots_->views(); };
        sources.fleets = [this] { return fleets_->views(); };
        sources.logs = [this](const std::string& name, std::uint64_t after, std::size_t most) {
            return fleets_->logs(name, after, most);
        };
        sources.scale = [this](const std::string& name, unsigned workers) { return fleets_->scale(name, workers); };
        sources.restart = [this](const std::string& name) { return fleets_->restart(name); };
        sources.clients = [&gate] { return gate.clients(); };
        sources.ask_server = [&gate](const std::string& statement) { return gate.ask_server(statement); };
        auto api = api::Server::start(api_config_, std::move(sources), control);
        if (!api) return std::unexpected(api.error());
        api_ = std::move(*api);
        return {};
    }

    // The administrator's console, at the port of the clients.
    void open_console(proxy::Gate& gate) {
        api::console::Sources sources{.gate = [&gate] { return gate.snapshot(); },
                                      .clients = [&gate] { return gate.clients(); },
                                      .connections = [&gate] { return gate.connections(); },
                                      .settings = [&gate] { return gate.settings(); },
                                      .pause = [&gate] { return gate.pause(); },
                                      .resume = [&gate] { return gate.resume(); },
                                      .reload = [&gate] { return gate.reload(); },
                                      .kill = [&gate](std::uint32_t id, bool query) { return gate.kill(id, query); }};
        if (slots_) sources.slots = [this] { return slots_->views(); };
        sources.fleets = [this] { return fleets_->views(); };
        console_.emplace(std::move(sources));
        gate.set_console(*console_);
    }

    void close_all() {
        console_.reset();
        api_.reset();
        slots_.reset();
        rules_.reset();
        fleets_.reset();
    }

    int fail_to_start(const Error& error) {
        close_all();
        log::error("{}", error.message);
        if (starter_ != nullptr) starter_->failed(error.message);
        return kCritical;
    }

    proxy::Gate::Hooks hooks() {
        return {.ready = [this] { ready(); }, .reload = [this] { return reload(); }, .stopping = [] { stopping(); }};
    }

    void ready() {
        const auto address = api_ ? api_->address() : std::nullopt;
        const auto api = address ? fmt::format("API at http://{}", address->text()) : std::string("no API");
        const auto line = fmt::format("Serving MySQL clients at {}; {}; {}", where_clients_connect(listen_, port_),
                                      about_server_, api);
        log::info("{}", line);
        notify_systemd(fmt::format("READY=1\nSTATUS={}", line));
        if (starter_ != nullptr) starter_->ready();
    }

    Result<Config> reload() {
        notify_reloading();
        auto again = config::load(collect_inputs(options_.config_file, options_.flags));
        notify_systemd("READY=1");
        if (!again) {
            std::string all;
            for (const auto& problem : again.error()) all += (all.empty() ? "" : "; ") + problem.text();
            return fail(std::move(all));
        }
        for (const auto& warning : again->warnings) log::warn("{}", warning.text());
        warn_of_restart(again->config);
        spdlog::set_level(spdlog::level::from_str(again->config.log.level));
        return std::move(again->config);
    }

    // What a reload cannot change is said, and stays.
    void warn_of_restart(const Config& now) const {
        const auto say = [](std::string_view what) {
            log::warn("A new {} takes a restart; the one before stays", what);
        };
        if (listen_.address != now.listen.address) say("`address` in [listen]");
        if (listen_.unix_path != now.listen.unix_path) say("`unix` in [listen]");
        if (api_config_.address != now.api.address) say("`address` in [api]");
        if (!(api_config_.token == now.api.token)) say("`token_file` in [api]");
        if (log_.format != now.log.format) say("`format` in [log]");
    }

    static void stopping() { notify_systemd("STOPPING=1\nSTATUS=finishing transactions"); }

    const ServeOptions& options_;
    Starter* starter_;
    std::string about_server_;
    config::Listen listen_;
    config::Log log_;
    config::Api api_config_;
    config::Slots slots_config_;
    std::optional<fleet::FleetThread> fleets_;
    std::optional<watch::RuleThread> rules_;
    std::unique_ptr<slots::Server> slots_;
    std::unique_ptr<api::Server> api_;
    std::optional<api::console::Desk> console_;
    std::uint16_t port_ = 0;
};

}  // namespace

int serve(const ServeOptions& options) {
    auto loaded = config::load(collect_inputs(options.config_file, options.flags));
    if (!loaded) return refuse(loaded.error());
    if (options.check_config) return say_checked(*loaded);
    if (!options.ensure) return Service(options, nullptr).run(std::move(*loaded));

    const auto& listen = loaded->config.listen;
    if (listen.address && listen.address->port == 0) {
        fmt::print(stderr, "tidegate: --ensure needs a fixed port to know the gate by, not 0\n");
        return kUsage;
    }
    const auto address = listen.address ? listen.address->text() : listen.unix_path;
    return ensure(address, [&](Starter& starter) { return Service(options, &starter).run(std::move(*loaded)); });
}

}  // namespace tidegate::cli
