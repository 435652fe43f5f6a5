// The accounts that have logged in at this gate, numbered: what the pool calls an account, and what it takes to open
// server connections for it. Grows with the accounts that the server admits, never with those that it refuses.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "budget/budget.h"
#include "config/config.h"
#include "protocol/auth/credential.h"

namespace tidegate::proxy {

class AccountTable {
public:
    struct Account {
        std::string name;
        protocol::auth::CredentialPtr credential;  // nullptr: the server does not take it any more
        std::uint16_t charset = 45;                // of the last client: what new server connections begin with
        config::PoolMode mode = config::PoolMode::transaction;
        std::map<std::string, TimePoint, std::less<>> schemas;  // that it was seen to enter, and when
    };

    // The account's number; a new one if it is new. What is given replaces what was known.
    budget::AccountId admit(std::string_view name, protocol::auth::CredentialPtr credential, std::uint16_t charset,
                            config::PoolMode mode);

    [[nodiscard]] std::optional<budget::AccountId> find(std::string_view name) const;
    [[nodiscard]] const Account& operator[](budget::AccountId id) const { return accounts_[id]; }
    [[nodiscard]] std::size_t size() const { return accounts_.size(); }
    void set_mode(budget::AccountId id, config::PoolMode mode) { accounts_[id].mode = mode; }
    void forget_credential(budget::AccountId id) { accounts_[id].credential = nullptr; }

    // Entering a schema is believed for a while after it was seen to work (Trap 13).
    [[nodiscard]] bool may_enter(budget::AccountId id, std::string_view schema, TimePoint now) const;
    void entered(budget::AccountId id, std::string_view schema, TimePoint now);
    void forget_schemas();

private:
    std::map<std::string, budget::AccountId, std::less<>> ids_;
    std::vector<Account> accounts_;
};

}  // namespace tidegate::proxy
