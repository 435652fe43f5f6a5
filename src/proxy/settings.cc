#include "proxy/settings.h"

#include <fmt/format.h>

#include <memory>

namespace tidegate::proxy {

Result<std::vector<ConfiguredAccount>> configured_accounts(const config::Config& config) {
    std::vector<ConfiguredAccount> accounts;
    for (const config::User& user : config.users) {
        ConfiguredAccount account{.name = user.name, .password = nullptr};
        if (user.password) account.password = protocol::auth::password_credential(user.password->clone());
        if (!user.hash.empty()) {
            auto hash = protocol::auth::parse_password_hash(user.hash);
            if (!hash) return fail(fmt::format("[[user]] {}: {}", user.name, hash.error().message));
            account.hash = std::make_shared<const protocol::auth::PasswordHash>(std::move(*hash));
        }
        if (account.password || account.hash) accounts.push_back(std::move(account));
    }
    return accounts;
}

}  // namespace tidegate::proxy
