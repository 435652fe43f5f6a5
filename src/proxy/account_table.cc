#include "proxy/account_table.h"

#include <utility>

namespace tidegate::proxy {
namespace {

constexpr Duration kSchemaBelieved = 60s;
constexpr std::size_t kSchemasKept = 256;  // of one account

}  // namespace

budget::AccountId AccountTable::admit(std::string_view name, protocol::auth::CredentialPtr credential,
                                      std::uint16_t charset, config::PoolMode mode) {
    auto found = ids_.find(name);
    if (found == ids_.end()) {
        found = ids_.emplace(std::string(name), static_cast<budget::AccountId>(accounts_.size())).first;
        accounts_.emplace_back().name = name;
    }
    Account& account = accounts_[found->second];
    if (credential) account.credential = std::move(credential);
    account.charset = charset;
    account.mode = mode;
    return found->second;
}

std::optional<budget::AccountId> AccountTable::find(std::string_view name) const {
    const auto found = ids_.find(name);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

bool AccountTable::may_enter(budget::AccountId id, std::string_view schema, TimePoint now) const {
    const auto found = accounts_[id].schemas.find(schema);
    return found != accounts_[id].schemas.end() && now - found->second < kSchemaBelieved;
}

void AccountTable::entered(budget::AccountId id, std::string_view schema, TimePoint now) {
    auto& schemas = accounts_[id].schemas;
    if (schemas.size() >= kSchemasKept) schemas.clear();
    schemas.insert_or_assign(std::string(schema), now);
}

void AccountTable::forget_schemas() {
    for (Account& each : accounts_) each.schemas.clear();
}

}  // namespace tidegate::proxy
