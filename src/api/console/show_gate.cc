// Who uses the gate and the server: SHOW POOLS, CLIENTS, SERVERS.
#include <algorithm>
#include <map>

#include "api/console/sheet.h"
#include "api/console/shows.h"

namespace tidegate::api::console {
namespace {

void add_pool(Sheet& sheet, const std::string& account, const char* mode, std::uint64_t clients,
              const proxy::PoolCounts& pool, Duration oldest_wait) {
    sheet.row().add(account).add(mode).add(clients).add(pool.active).add(pool.idle).add(pool.opening).add(pool.open);
    sheet.add(pool.max).add(pool.waiting).add(oldest_wait).add(pool.peak).add(pool.granted).add(pool.waited);
    sheet.add(pool.refused_clients);
}

// "named_lock (7 s): SELECT GET_LOCK(?, ..); a lock of ..."
std::string text_of(const std::vector<proxy::PinView>& pins) {
    std::string text;
    for (const auto& pin : pins) {
        if (!text.empty()) text += " | ";
        text += fmt::format("{} ({:.0f} s): {}; {}", pin.name, seconds(pin.age),
                            pin.statement.empty() ? "statement not known" : pin.statement, pin.advice);
    }
    return text;
}

}  // namespace

protocol::TextTable show_pools(const Sources& sources) {
    const proxy::Snapshot gate = sources.gate();
    std::map<std::string, Duration> oldest;
    for (const auto& client : sources.clients().clients) {
        if (client.state == "waiting") oldest[client.user] = std::max(oldest[client.user], client.since);
    }
    Sheet sheet{{"account"},
                {"mode"},
                {"clients", Sheet::kNumber},
                {"active", Sheet::kNumber},
                {"idle", Sheet::kNumber},
                {"opening", Sheet::kNumber},
                {"open", Sheet::kNumber},
                {"limit", Sheet::kNumber},
                {"waiting", Sheet::kNumber},
                {"oldest_wait", Sheet::kSeconds},
                {"peak", Sheet::kNumber},
                {"granted", Sheet::kNumber},
                {"waited", Sheet::kNumber},
                {"refused", Sheet::kNumber}};
    for (const auto& account : gate.accounts)
        add_pool(sheet, account.name, account.mode.c_str(), account.clients, account.pool, oldest[account.name]);
    add_pool(sheet, "(all)",
             gate.draining ? "draining"
             : gate.paused ? "paused"
                           : "",
             gate.clients, gate.pool, gate.longest_wait_now);
    return sheet.take();
}

protocol::TextTable show_clients(const Sources& sources) {
    auto clients = sources.clients().clients;
    std::ranges::sort(clients, {}, &proxy::ClientView::id);
    Sheet sheet{{"id", Sheet::kNumber},
                {"account"},
                {"address"},
                {"pid", Sheet::kNumber},
                {"program"},
                {"state"},
                {"seconds", Sheet::kSeconds},
                {"connected", Sheet::kSeconds},
                {"held_by"},
                {"in_transaction"},
                {"server_connection", Sheet::kNumber},
                {"pins"}};
    for (const auto& client : clients) {
        sheet.row().add(client.id).add(client.user).add(client.address).number_or_null(client.pid);
        sheet.text_or_null(client.program).add(client.state).add(client.since).add(client.connected);
        sheet.add(client.held_by).add(client.in_transaction).number_or_null(client.server_connection);
        sheet.text_or_null(text_of(client.pins));
    }
    return sheet.take();
}

protocol::TextTable show_servers(const Sources& sources) {
    auto connections = sources.connections();
    std::ranges::sort(connections, {}, &proxy::ServerConnectionView::id);
    Sheet sheet{{"id", Sheet::kNumber},
                {"account"},
                {"state"},
                {"seconds", Sheet::kSeconds},
                {"open", Sheet::kSeconds},
                {"client", Sheet::kNumber},
                {"prepared", Sheet::kNumber}};
    for (const auto& each : connections) {
        sheet.row().add(each.id).text_or_null(each.account).add(each.state).add(each.since).add(each.open);
        sheet.number_or_null(each.client).add(each.prepared);
    }
    return sheet.take();
}

}  // namespace tidegate::api::console
