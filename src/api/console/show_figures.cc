// A name and a value each: SHOW SERVER, STATS, CONFIG, VERSION.
#include "api/console/sheet.h"
#include "api/console/shows.h"
#include "api/stats_json.h"

namespace tidegate::api::console {
namespace {

// A name and a value a row.
class Figures {
public:
    template <class T>
    Figures& add(std::string_view name, const T& value) {
        sheet_.row().add(name).add(value);
        return *this;
    }
    Figures& text_or_null(std::string_view name, std::string_view text) {
        sheet_.row().add(name).text_or_null(text);
        return *this;
    }
    Figures& add_all(std::string_view prefix, const std::vector<proxy::NamedCount>& counts) {
        for (const auto& [name, count] : counts) add(fmt::format("{}.{}", prefix, name), count);
        return *this;
    }
    [[nodiscard]] protocol::TextTable take() { return sheet_.take(); }

private:
    Sheet sheet_{{"name"}, {"value"}};
};

const char* name_of(proxy::ServerState state) {
    switch (state) {
        case proxy::ServerState::up:
            return "up";
        case proxy::ServerState::down:
            return "down";
        case proxy::ServerState::blocked:
            return "blocked";
        case proxy::ServerState::unknown:
            break;
    }
    return "unknown";
}

std::string moment_of(const std::optional<proxy::WallTime>& time) {
    return time ? moment(*time) : std::string();
}

void add_clients(Figures& figures, const proxy::Snapshot& s) {
    figures.add("clients.connected", s.clients).add("clients.total", s.clients_total);
    figures.add("clients.max", s.max_clients).add("clients.pinned", s.pinned_clients);
    figures.add("clients.login_failures", s.login_failures).add("clients.held_off", s.held_off);
    figures.add_all("clients.ended", s.client_ends);
}

void add_connections(Figures& figures, const proxy::Snapshot& s) {
    figures.add("connections.max", s.pool.max).add("connections.open", s.pool.open);
    figures.add("connections.active", s.pool.active).add("connections.idle", s.pool.idle);
    figures.add("connections.opening", s.pool.opening).add("connections.closing", s.pool.closing);
    figures.add("connections.peak", s.pool.peak).add("connections.opened", s.opened);
    figures.add_all("connections.closed", s.closed).add_all("connections.open_failures", s.open_failures);
    figures.add("connections.longest_lease", s.longest_lease_now);
}

void add_line(Figures& figures, const proxy::Snapshot& s) {
    figures.add("line.waiting", s.pool.waiting).add("line.peak", s.peak_waiting);
    figures.add("line.longest_now", s.longest_wait_now);
    figures.add("line.granted", s.pool.granted).add("line.waited", s.pool.waited);
    figures.add("line.refused", s.pool.refused_clients).add("line.left", s.pool.cancelled);
    for (const unsigned percent : {50U, 90U, 99U})
        figures.add(fmt::format("line.wait_p{}", percent), s.waits.percentile(percent));
    figures.add("line.wait_max", s.waits.max());
}

}  // namespace

protocol::TextTable show_server(const Sources& sources) {
    const proxy::Snapshot s = sources.gate();
    const proxy::LimitSnapshot& limit = s.limit;
    Figures figures;
    figures.add("address", s.server.address).text_or_null("version", s.server.version);
    figures.add("state", name_of(s.server.state)).text_or_null("down_since", moment_of(s.server.down_since));
    figures.text_or_null("last_error", s.server.last_error);
    figures.text_or_null("last_error_at", moment_of(s.server.last_error_at)).add("monitored", s.server.monitored);
    figures.add("limit", limit.effective).add("limit.configured", limit.configured).add("limit.learnt", limit.learnt);
    figures.add("limit.reserve", limit.reserve).add("limit.max_connections", limit.max_connections);
    figures.add("limit.others", limit.others).add("limit.closed_by_refusals", limit.closed_by_refusals);
    figures.add("refused.1040", s.refused_1040).add("refused.1203", s.refused_1203).add("refused.1226", s.refused_1226);
    return figures.take();
}

protocol::TextTable show_stats(const Sources& sources) {
    const proxy::Snapshot s = sources.gate();
    Figures figures;
    figures.add("version", s.version).add("uptime", s.uptime).add("paused", s.paused).add("draining", s.draining);
    add_clients(figures, s);
    add_connections(figures, s);
    add_line(figures, s);
    figures.add("statements", s.statements).add("transactions", s.transactions);
    figures.add("bytes_from_clients", s.bytes_from_clients).add("bytes_to_clients", s.bytes_to_clients);
    figures.add_all("pins", s.pins);
    for (const auto& cause : s.pinned) {
        figures.add(fmt::format("pinned_clients.{}", cause.name), cause.clients);
        figures.add(fmt::format("pinned_seconds.{}", cause.name), cause.lasted);
    }
    return figures.take();
}

protocol::TextTable show_config(const Sources& sources) {
    Sheet sheet{{"key"}, {"value"}, {"default"}};
    for (const auto& setting : sources.settings()) sheet.row().add(setting.key).add(setting.value).add(setting.usual);
    return sheet.take();
}

protocol::TextTable show_version(const Sources& sources) {
    const proxy::Snapshot s = sources.gate();
    Sheet sheet{{"version"}, {"started"}, {"server_version"}};
    sheet.row().add("Tidegate " + s.version).add(moment(s.started)).text_or_null(s.server.version);
    return sheet.take();
}

}  // namespace tidegate::api::console
