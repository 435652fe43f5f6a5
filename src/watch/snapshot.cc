#include "watch/snapshot.h"

#include <algorithm>

#include "watch/table.h"

namespace tidegate::watch {
namespace {

std::optional<std::uint64_t> number_in(const std::map<std::string, std::string, std::less<>>& from,
                                       std::string_view name) {
    const auto at = from.find(name);
    return at == from.end() ? std::nullopt : whole_number(at->second);
}

}  // namespace

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::client:
            return "client";
        case Kind::own:
            return "own";
        case Kind::gate:
            return "gate";
        case Kind::replica:
            return "replica";
        case Kind::binlog_dump:
            return "binlog dump";
        case Kind::event_scheduler:
            return "event scheduler";
        case Kind::system:
            break;
    }
    return "system";
}

std::optional<std::uint64_t> Snapshot::variable(std::string_view name) const {
    return number_in(variables, name);
}

std::optional<std::uint64_t> Snapshot::count(std::string_view name) const {
    return number_in(status, name);
}

std::string Snapshot::text(std::string_view variable) const {
    const auto at = variables.find(variable);
    return at == variables.end() ? std::string() : at->second;
}

bool Snapshot::on(std::string_view variable) const {
    const auto value = text(variable);
    return value == "ON" || value == "1" || value == "YES";
}

const Account* Snapshot::own() const {
    const auto is_own = [this](const Account& account) { return account.user + "@" + account.host == own_account; };
    const auto at = std::ranges::find_if(accounts, is_own);
    return at == accounts.end() ? nullptr : &*at;
}

std::size_t Snapshot::held() const {
    return static_cast<std::size_t>(std::ranges::count_if(connections, &Connection::is_held));
}

}  // namespace tidegate::watch
