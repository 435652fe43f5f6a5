// Pool: options checked, the shell made, calls passed on.
#include <fmt/core.h>
#include <tidegate/pool.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "client/mysql_connection.h"
#include "client/pool_shell.h"
#include "client/signal_watch.h"
#include "client/slot_permits.h"

namespace tidegate {
namespace {

constexpr unsigned kLargest = 10'000;

Result<void> check(const Options& options) {
    if (options.host.empty() && options.socket.empty()) return fail("the pool's options name no server: host is empty");
    if (options.max_connections == 0 || options.max_connections > kLargest) {
        return fail(
            fmt::format("max_connections must be between 1 and {}, and not {}", kLargest, options.max_connections));
    }
    if (options.min_idle > options.max_connections) {
        return fail(
            fmt::format("min_idle ({}) is more than max_connections ({})", options.min_idle, options.max_connections));
    }
    struct Setting {
        const char* name;
        std::chrono::milliseconds value;
        bool may_be_off;
    };
    const std::array settings{
        Setting{"wait_timeout", options.wait_timeout, true},
        Setting{"connect_timeout", options.connect_timeout, false},
        Setting{"read_timeout", options.read_timeout, true},
        Setting{"write_timeout", options.write_timeout, true},
        Setting{"check_after", options.check_after, true},
        Setting{"keep_alive", options.keep_alive, true},
        Setting{"idle_timeout", options.idle_timeout, true},
        Setting{"max_age", options.max_age, true},
        Setting{"lease_warning", options.lease_warning, true},
    };
    for (const auto& [name, value, may_be_off] : settings) {
        if (value.count() < 0 || (value.count() == 0 && !may_be_off)) {
            return fail(fmt::format("{} must be {} and not {} ms", name, may_be_off ? "0 or more" : "more than 0",
                                    value.count()));
        }
    }
    return {};
}

client::ServerSettings settings_of(Options& options) {
    client::ServerSettings settings;
    settings.host = options.host;
    settings.port = options.port;
    settings.socket = options.socket;
    settings.user = options.user;
    settings.password = Secret(std::string_view(options.password));
    wipe(std::as_writable_bytes(std::span(options.password)));
    settings.schema = options.schema;
    settings.tls = options.tls;
    settings.tls_ca = options.tls_ca;
    settings.connect_timeout = options.connect_timeout;
    settings.read_timeout = options.read_timeout;
    settings.write_timeout = options.write_timeout;
    settings.statement_cache = options.statement_cache;
    return settings;
}

client::CoreOptions core_options(const Options& options, std::string server) {
    std::random_device random;
    return {
        .server = std::move(server),
        .max = options.max_connections,
        .min_idle = options.min_idle,
        .check_after = options.check_after,
        .keep_alive = options.keep_alive,
        .idle_timeout = options.idle_timeout,
        .max_age = options.max_age,
        .lease_warning = options.lease_warning,
        .wait_timeout = options.wait_timeout,
        .seed = static_cast<std::uint64_t>(random()) << 32U | random(),
    };
}

}  // namespace

Result<Pool> Pool::create(Options options) {
    if (auto checked = check(options); !checked) return std::unexpected(std::move(checked.error()));
    const auto settings = std::make_shared<const client::ServerSettings>(settings_of(options));
    client::PoolShell::Opener opener = [settings] { return client::MysqlConnection::open(*settings); };
    std::function<void()> give_up;
    if (!options.slots.empty()) {
        auto permits = client::SlotPermits::open(options);
        if (!permits) return std::unexpected(std::move(permits.error()));
        give_up = [shared = *permits] { shared->give_up(); };
        opener = [settings, shared = *permits]() -> Result<std::unique_ptr<client::Connection>> {
            auto permit = shared->take();
            if (!permit) return std::unexpected(std::move(permit.error()));
            return client::MysqlConnection::open(*settings, std::move(*permit));
        };
    }
    auto shell = std::make_shared<client::PoolShell>(core_options(options, settings->text()), std::move(opener),
                                                     std::move(options.on_notice), std::move(give_up));
    return Pool(std::move(shell));
}

Result<Pool> Pool::from_url(std::string_view url) {
    auto options = Options::from_url(url);
    if (!options) return std::unexpected(std::move(options.error()));
    return create(std::move(*options));
}

Result<Pool> Pool::from_environment(const std::string& dot_env) {
    auto options = Options::from_environment(dot_env);
    if (!options) return std::unexpected(std::move(options.error()));
    return create(std::move(*options));
}

Pool::Pool(Pool&&) noexcept = default;

Pool& Pool::operator=(Pool&& other) noexcept {
    if (this != &other) {
        if (shell_) (void)shell_->close(TimePoint::min());
        shell_ = std::move(other.shell_);
    }
    return *this;
}

Pool::~Pool() {
    if (shell_) (void)shell_->close(TimePoint::min());
}

Result<Lease> Pool::acquire(Deadline deadline, std::source_location where) {
    auto hold = shell_->acquire(deadline.at(), {}, where);
    if (!hold) return std::unexpected(std::move(hold.error()));
    return Lease(std::move(*hold));
}

Result<Lease> Pool::acquire(const std::stop_token& stop, std::source_location where) {
    auto hold = shell_->acquire(Deadline(shell_->wait_timeout()).at(), stop, where);
    if (!hold) return std::unexpected(std::move(hold.error()));
    return Lease(std::move(*hold));
}

Result<Lease> Pool::acquire(std::source_location where) {
    return acquire(Deadline(shell_->wait_timeout()), where);
}

Result<Rows> Pool::query(std::string_view sql, std::source_location where) {
    auto lease = acquire(where);
    if (!lease) return std::unexpected(std::move(lease.error()));
    return lease->query(sql);
}

Result<void> Pool::test_connection(Deadline deadline) {
    auto lease = acquire(deadline);
    if (!lease) return std::unexpected(std::move(lease.error()));
    auto one = lease->query("SELECT 1");
    if (!one) return std::unexpected(std::move(one.error()));
    return {};
}

PoolStats Pool::stats() const {
    return shell_->stats();
}

Result<void> Pool::close(Deadline grace) {
    return shell_->close(grace.at());
}

void Pool::close_on_signals(std::chrono::milliseconds grace) {
    client::SignalWatch::instance().close_at_end(shell_, grace);
}

Result<Pool*> shared_pool() {
    struct Shared {
        Shared() { client::initialise_library(); }
        Mutex mutex;
        std::unique_ptr<Pool> pool;
    };
    static Shared shared;
    const MutexLock lock(shared.mutex);
    if (!shared.pool) {
        auto made = Pool::from_environment();
        if (!made) return std::unexpected(std::move(made.error()));
        shared.pool = std::make_unique<Pool>(std::move(*made));
    }
    return shared.pool.get();
}

}  // namespace tidegate
