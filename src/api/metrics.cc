#include "api/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "api/stats_json.h"

namespace tidegate::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using proxy::Snapshot;

using Labels = std::vector<std::pair<std::string, std::string>>;

class Page {
public:
    // A family that the metrics added next belong to.
    void family(std::string name, std::string help, MetricType type) {
        families_.push_back({.name = std::move(name), .help = std::move(help), .type = type, .metric = {}});
    }
    template <class Number>
    void add(Number value, const Labels& labels = {}) {
        auto& metric = add_metric(labels);
        if (families_.back().type == MetricType::Counter)
            metric.counter.value = static_cast<double>(value);
        else
            metric.gauge.value = static_cast<double>(value);
    }
    template <class Number>
    void counter(std::string name, std::string help, Number value) {
        family(std::move(name), std::move(help), MetricType::Counter);
        add(value);
    }
    template <class Number>
    void gauge(std::string name, std::string help, Number value) {
        family(std::move(name), std::move(help), MetricType::Gauge);
        add(value);
    }
    void counters(std::string name, std::string help, const std::string& label,
                  const std::vector<proxy::NamedCount>& named) {
        family(std::move(name), std::move(help), MetricType::Counter);
        for (const auto& [value, count] : named) add(count, {{label, value}});
    }
    void histogram(std::string name, std::string help, const WaitHistogram& waits) {
        static constexpr std::array kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                            0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};
        family(std::move(name), std::move(help), MetricType::Histogram);
        auto& histogram = add_metric({}).histogram;
        for (const double bound : kBounds) {
            const auto limit = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(bound));
            histogram.bucket.push_back({waits.within(limit), bound});
        }
        histogram.bucket.push_back({waits.count(), std::numeric_limits<double>::infinity()});
        histogram.sample_count = waits.count();
        histogram.sample_sum = seconds(waits.sum());
    }
    [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

private:
    ClientMetric& add_metric(const Labels& labels) {
        auto& metric = families_.back().metric.emplace_back();
        for (const auto& [name, value] : labels) metric.label.push_back({name, value});
        return metric;
    }

    std::vector<MetricFamily> families_;
};

void add_gate(Page& page, const Snapshot& s) {
    page.family("tidegate_build_info", "1; the versions of the gate and of its server are in the labels.",
                MetricType::Gauge);
    page.add(1, {{"version", s.version}, {"server_version", s.server.version}});
    page.gauge("tidegate_start_time_seconds", "When the gate started, in seconds since 1970.",
               std::chrono::duration<double>(s.started.time_since_epoch()).count());
    page.gauge("tidegate_draining", "1 while the gate finishes its work before it ends.", s.draining);
    page.gauge("tidegate_paused", "1 while nobody is served and everybody may wait.", s.paused);
    page.gauge("tidegate_server_up", "1 while the server can be reached.", s.server.state == proxy::ServerState::up);
}

void add_limit(Page& page, const Snapshot& s) {
    page.gauge("tidegate_server_connections_limit", "Server connections that there may be now.", s.limit.effective);
    if (s.limit.max_connections) {
        page.gauge("tidegate_server_max_connections", "The server's own max_connections.", *s.limit.max_connections);
    }
    if (s.limit.others) {
        page.gauge("tidegate_server_connections_others", "Connections at the server that are not the gate's.",
                   *s.limit.others);
    }
    page.gauge("tidegate_limit_closed_by_refusals", "1 while the limit is down because the server refused connections.",
               s.limit.closed_by_refusals);
}

void add_states(Page& page, const proxy::PoolCounts& pool, const Labels& labels) {
    const std::array<std::pair<const char*, unsigned>, 4> states{
        {{"active", pool.active}, {"idle", pool.idle}, {"opening", pool.opening}, {"closing", pool.closing}}};
    for (const auto& [state, count] : states) {
        Labels all = labels;
        all.emplace_back("state", state);
        page.add(count, all);
    }
}

void add_pool(Page& page, const Snapshot& s) {
    page.family("tidegate_server_connections", "Server connections by state.", MetricType::Gauge);
    add_states(page, s.pool, {});
    page.gauge("tidegate_server_connections_peak", "Most server connections at once since the start.", s.pool.peak);
    page.counter("tidegate_server_connections_opened_total", "Server connections opened.", s.opened);
    page.counters("tidegate_server_connections_closed_total", "Server connections closed, by reason.", "reason",
                  s.closed);
    page.counters("tidegate_server_open_failures_total", "Server connections that could not be opened, by reason.",
                  "reason", s.open_failures);
    page.family("tidegate_server_refusals_total",
                "Refusals of the server for want of connections, by its error number; no "
                "client saw them.",
                MetricType::Counter);
    page.add(s.refused_1040, {{"errno", "1040"}});
    page.add(s.refused_1203, {{"errno", "1203"}});
    page.add(s.refused_1226, {{"errno", "1226"}});
    page.counter("tidegate_leases_total", "Times that a client got a server connection.", s.pool.granted);
    page.gauge("tidegate_clients_waiting", "Clients in line.", s.pool.waiting);
    page.gauge("tidegate_clients_waiting_peak", "Most clients in line at once since the start.", s.peak_waiting);
    page.counter("tidegate_waits_total", "Clients that stood in line and were served.", s.pool.waited);
    page.counter("tidegate_waits_refused_total", "Clients that got error 1040 from the gate.", s.pool.refused_clients);
    page.counter("tidegate_waits_cancelled_total", "Clients that left the line.", s.pool.cancelled);
    page.histogram("tidegate_wait_seconds", "How long clients stood in line.", s.waits);
    page.gauge("tidegate_longest_wait_seconds", "How long the first in line waits already.",
               seconds(s.longest_wait_now));
    page.gauge("tidegate_longest_lease_seconds", "How long the longest lease lasts already.",
               seconds(s.longest_lease_now));
}

void add_clients(Page& page, const Snapshot& s) {
    page.gauge("tidegate_clients_connected", "Clients connected now.", s.clients);
    page.gauge("tidegate_clients_limit", "Clients that there may be.", s.max_clients);
    page.counter("tidegate_clients_total", "Clients that have connected.", s.clients_total);
    page.counters("tidegate_client_disconnects_total", "Clients' connections ended, by reason.", "reason",
                  s.client_ends);
    page.counter("tidegate_login_failures_total", "Logins refused.", s.login_failures);
    page.counter("tidegate_held_off_total", "Connections refused because of their address's failed logins.",
                 s.held_off);
    page.counter("tidegate_statements_total", "Statements and commands relayed.", s.statements);
    page.counter("tidegate_transactions_total", "Transactions of several statements that clients ended.",
                 s.transactions);
    page.counter("tidegate_client_received_bytes_total", "Bytes from clients.", s.bytes_from_clients);
    page.counter("tidegate_client_sent_bytes_total", "Bytes to clients.", s.bytes_to_clients);
    page.counters("tidegate_pins_total", "Leases that outlived their transaction, by cause.", "cause", s.pins);
    page.family("tidegate_clients_pinned",
                "Clients that keep a server connection beyond their transactions now, by cause; one with two causes "
                "counts for both.",
                MetricType::Gauge);
    for (const auto& cause : s.pinned) page.add(cause.clients, {{"cause", cause.name}});
    page.family("tidegate_pinned_seconds_total",
                "How long clients have been pinned, by cause, those that are now included.", MetricType::Counter);
    for (const auto& cause : s.pinned) page.add(seconds(cause.lasted), {{"cause", cause.name}});
}

void add_accounts(Page& page, const Snapshot& s) {
    const auto each = [&](std::string name, std::string help, MetricType type, auto value) {
        page.family(std::move(name), std::move(help), type);
        for (const auto& account : s.accounts) page.add(value(account), {{"account", account.name}});
    };
    page.family("tidegate_account_server_connections", "Server connections by account and state.", MetricType::Gauge);
    for (const auto& account : s.accounts) add_states(page, account.pool, {{"account", account.name}});
    each("tidegate_account_server_connections_limit", "Server connections that the account may have now.",
         MetricType::Gauge, [](const auto& a) { return a.pool.max; });
    each("tidegate_account_clients_connected", "Clients of the account connected now.", MetricType::Gauge,
         [](const auto& a) { return a.clients; });
    each("tidegate_account_clients_waiting", "Clients of the account in line.", MetricType::Gauge,
         [](const auto& a) { return a.pool.waiting; });
    each("tidegate_account_leases_total", "Times that a client of the account got a server connection.",
         MetricType::Counter, [](const auto& a) { return a.pool.granted; });
    each("tidegate_account_waits_total", "Clients of the account that stood in line and were served.",
         MetricType::Counter, [](const auto& a) { return a.pool.waited; });
    each("tidegate_account_waits_refused_total", "Clients of the account that got error 1040 from the gate.",
         MetricType::Counter, [](const auto& a) { return a.pool.refused_clients; });
}

void add_slots(Page& page, std::span<const slots::PoolView> pools) {
    const auto each = [&](std::string name, std::string help, MetricType type, auto value) {
        page.family(std::move(name), std::move(help), type);
        for (const auto& pool : pools) page.add(value(pool.ledger), {{"pool", pool.name}});
    };
    using slots::Ledger;
    each("tidegate_slots_limit", "Slots that the pool has.", MetricType::Gauge,
         [](const Ledger& l) { return l.size(); });
    each("tidegate_slots_active", "Slots that are held.", MetricType::Gauge,
         [](const Ledger& l) { return l.active(); });
    each("tidegate_slots_waiting", "Who waits for a slot.", MetricType::Gauge,
         [](const Ledger& l) { return l.waiting(); });
    each("tidegate_slots_peak", "Most slots held at once.", MetricType::Gauge,
         [](const Ledger& l) { return l.totals().peak; });
    each("tidegate_slots_granted_total", "Slots taken.", MetricType::Counter,
         [](const Ledger& l) { return l.totals().granted; });
    each("tidegate_slots_waits_total", "Slots taken after a wait.", MetricType::Counter,
         [](const Ledger& l) { return l.totals().waited; });
    each("tidegate_slots_timeouts_total", "Who found no slot in time.", MetricType::Counter,
         [](const Ledger& l) { return l.totals().timed_out; });
    each("tidegate_slots_recovered_total", "Slots that came back because their holder died.", MetricType::Counter,
         [](const Ledger& l) { return l.totals().recovered; });
}

void add_fleets(Page& page, std::span<const fleet::FleetView> fleets) {
    using fleet::Figures;
    const auto each = [&](std::string name, std::string help, MetricType type, auto value) {
        page.family(std::move(name), std::move(help), type);
        for (const auto& fleet : fleets) page.add(value(fleet.figures), {{"fleet", fleet.name}});
    };
    each("tidegate_fleet_workers_wanted", "Workers that the fleet should have.", MetricType::Gauge,
         [](const Figures& f) { return f.workers; });
    page.family("tidegate_fleet_workers", "Workers by state.", MetricType::Gauge);
    for (const auto& fleet : fleets) {
        const Figures& f = fleet.figures;
        const std::array<std::pair<const char*, unsigned>, 6> states{{{"running", f.running},
                                                                      {"stopping", f.stopping},
                                                                      {"waiting", f.waiting},
                                                                      {"to_be_started_again", f.resting},
                                                                      {"done", f.done},
                                                                      {"failed", f.failed}}};
        for (const auto& [state, count] : states) page.add(count, {{"fleet", fleet.name}, {"state", state}});
    }
    page.family("tidegate_fleet_given_up", "1 where a fleet was given up: its workers cannot work.", MetricType::Gauge);
    for (const auto& fleet : fleets) page.add(fleet.state == fleet::FleetState::given_up, {{"fleet", fleet.name}});
    each("tidegate_fleet_jobs_done_total", "Jobs that workers have told of as done.", MetricType::Counter,
         [](const Figures& f) { return f.jobs_done; });
    each("tidegate_fleet_jobs_failed_total", "Jobs that workers have told of as failed.", MetricType::Counter,
         [](const Figures& f) { return f.jobs_failed; });
    each("tidegate_fleet_restarts_total", "Workers started again.", MetricType::Counter,
         [](const Figures& f) { return f.restarts; });
    each("tidegate_fleet_recycled_total", "Workers that were asked to end, to be replaced.", MetricType::Counter,
         [](const Figures& f) { return f.recycled; });
    each("tidegate_fleet_crashes_total", "Workers that ended in failure without being asked.", MetricType::Counter,
         [](const Figures& f) { return f.crashes; });
    each("tidegate_fleet_killed_total", "Workers that were killed because their time to end was over.",
         MetricType::Counter, [](const Figures& f) { return f.killed; });
}

}  // namespace

std::string metrics_text(const Snapshot& s, std::span<const slots::PoolView> pools,
                         std::span<const fleet::FleetView> fleets) {
    Page page;
    add_gate(page, s);
    add_limit(page, s);
    add_pool(page, s);
    add_clients(page, s);
    add_accounts(page, s);
    if (!pools.empty()) add_slots(page, pools);
    if (!fleets.empty()) add_fleets(page, fleets);
    return page.text();
}

}  // namespace tidegate::api
