#include "cli/local_gate.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "cli/http_client.h"
#include "slots/place.h"
#include "watch/local.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr Duration kPatience = 40s;  // longer than the gate waits for its server
constexpr std::uint16_t kLost = 2013;

Result<json> ask_for_json(const std::string& socket, std::string_view method, const std::string& target,
                          std::string_view body) {
    const auto answer = ask_control(socket, method, target, kPatience, body);
    if (!answer) return std::unexpected(answer.error());
    auto parsed = json::parse(answer->body, nullptr, false);
    if (!parsed.is_object()) return fail(kLost, "08S01", "the gate's answer is no JSON");
    if (answer->status == 200) return parsed;
    return fail(parsed.value("errno", kLost), parsed.value("sqlstate", "HY000"),
                parsed.value("error", fmt::format("the gate answers with status {}", answer->status)));
}

class StandingConnection final : public watch::Session {
public:
    StandingConnection(std::string socket, std::string server)
        : socket_(std::move(socket)), server_(std::move(server)) {}

    Result<watch::Table> ask(const std::string& sql) override {
        const auto answer = ask_for_json(socket_, "POST", "/api/server/ask", sql);
        if (!answer) return std::unexpected(answer.error());
        watch::Table table;
        for (const auto& name : answer->value("columns", json::array()))
            table.columns.push_back(name.get<std::string>());
        for (const auto& row : answer->value("rows", json::array())) {
            auto& cells = table.rows.emplace_back();
            for (const auto& cell : row)
                cells.push_back(cell.is_string() ? watch::Table::Cell(cell.get<std::string>()) : std::nullopt);
        }
        return table;
    }
    [[nodiscard]] std::string way() const override {
        return fmt::format("through the standing connection of the gate before {}", server_);
    }

private:
    std::string socket_;
    std::string server_;
};

}  // namespace

std::optional<LocalGate> LocalGate::find(const std::string& slots_folder) {
    const auto place = slots::find_place(slots_folder);
    if (!place) return std::nullopt;
    LocalGate gate;
    gate.socket_ = place->control();
    const auto server = gate.ask("/api/server");
    if (!server) return std::nullopt;
    gate.server_ = server->value("address", "");
    if (const auto port = server->find("listens_at_port"); port != server->end() && port->is_number())
        gate.port_ = port->get<std::uint16_t>();
    return gate;
}

Result<json> LocalGate::ask(const std::string& target) const {
    return ask_for_json(socket_, "GET", target, "");
}

Result<json> LocalGate::clients() const {
    auto answer = ask("/api/clients");
    if (!answer) return answer;
    std::map<std::string, watch::Program> by_address;  // of the program's end: "127.0.0.1:43210"
    if (const auto local = port_ != 0 ? watch::look_locally({"127.0.0.1", port_, ""}) : watch::LocalView{}) {
        for (const auto& holder : local->holders) {
            for (const auto& end : holder.ends)
                by_address.emplace(fmt::format("{}:{}", end.address, end.port), holder.program);
        }
    }
    for (auto& client : (*answer)["clients"]) {
        std::optional<watch::Program> program;
        if (const auto at = by_address.find(client.value("address", "")); at != by_address.end())
            program = at->second;
        else if (client["pid"].is_number())
            program = watch::program_of(client["pid"].get<int>());
        if (!program) continue;
        if (client.value("program", "").empty())
            client["program"] = program->name;  // what it says of itself goes first
        client["pid"] = program->pid;
    }
    return answer;
}

std::unique_ptr<watch::Session> LocalGate::session() const {
    return std::make_unique<StandingConnection>(socket_, server_);
}

std::vector<std::uint32_t> LocalGate::server_connections() const {
    const auto answer = ask("/api/clients");
    return answer ? answer->value("server_connections", std::vector<std::uint32_t>{}) : std::vector<std::uint32_t>{};
}

}  // namespace tidegate::cli
