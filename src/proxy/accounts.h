// The book of accounts: what the gate knows of whom. Three sources, in this order: the configuration, native-password
// hashes fetched from the server, and what clients have proved at the server themselves (pass-through). For every
// account it remembers the credential that opens server connections, and when the server last admitted it: such a proof
// expires, so that an account that was locked or changed at the server is noticed.
// Belongs to the loop's thread; time is handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "protocol/auth/credential.h"
#include "protocol/auth/password_hash.h"
#include "protocol/auth/server_login.h"

namespace tidegate::proxy {

// A row of mysql.user.
struct FetchedAccount {
    std::string user;
    std::string host;
    std::string plugin;
    std::string authentication_string;
};

// One [[user]] of the configuration; whatever else it says is found by its index.
struct ConfiguredAccount {
    std::string name;
    protocol::auth::CredentialPtr password;                      // or
    std::shared_ptr<const protocol::auth::PasswordHash> hash{};  // one of the two
};

struct AccountRules {
    bool pass_through = true;
    Duration proof_expiry = 60s;
    std::vector<std::string> allow_empty_password{};  // may come from afar without a password
    std::vector<std::string> allow_remote{};          // may come from afar though the server takes them for local
};

// "localhost", loopback addresses and patterns of them, as hosts stand in mysql.user and in CURRENT_USER().
[[nodiscard]] bool is_local_host(std::string_view host);

class AccountBook {
public:
    static constexpr std::size_t max_remembered = 10'000;

    AccountBook() = default;
    explicit AccountBook(AccountRules rules) { set_rules(std::move(rules)); }

    void set_rules(AccountRules rules);
    // Replaces all configured accounts; forgets what was remembered of those that have changed.
    void set_configured(std::vector<ConfiguredAccount> accounts);
    // Replaces all fetched ones; voids the proofs of accounts whose hash has changed or gone. `gate_is_local`: the
    // server sees the gate's connections come from localhost or loopback.
    void set_fetched(const std::vector<FetchedAccount>& rows, bool gate_is_local);

    // What a login is checked against.
    [[nodiscard]] protocol::auth::AccountView view(std::string_view user, TimePoint now) const;
    [[nodiscard]] bool native_hashes_in_use() const { return native_hashes_in_use_; }
    [[nodiscard]] std::optional<std::size_t> configured_index(std::string_view user) const;

    // A client got in with this credential; `proved`: the server has just admitted it. `matched_host` is
    // CURRENT_USER()'s host there, if it was asked for.
    void remember(std::string_view user, const protocol::auth::CredentialPtr& credential, bool proved, TimePoint now,
                  std::string_view matched_host = {});
    // Whether somebody else has proved the same in the meantime.
    [[nodiscard]] bool is_proved(std::string_view user, const protocol::auth::Credential& credential,
                                 TimePoint now) const;
    // For opening server connections; null if none is known.
    [[nodiscard]] protocol::auth::CredentialPtr credential(std::string_view user) const;

    // The server refused this credential. Whoever has another one by now is not touched.
    void refused(std::string_view user, const protocol::auth::Credential& credential);
    void forget(std::string_view user);
    // Accounts may have changed at the server (GRANT, ALTER USER, ..): every proof is void.
    void new_generation() { ++generation_; }

private:
    struct Text {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    template <class T>
    using ByName = std::unordered_map<std::string, T, Text, std::equal_to<>>;
    using Names = std::unordered_set<std::string, Text, std::equal_to<>>;
    using HashPtr = std::shared_ptr<const protocol::auth::PasswordHash>;

    struct Configured {
        std::size_t index = 0;
        ConfiguredAccount account;
    };
    struct Fetched {
        HashPtr hash;  // null: not native, or rows of several hosts that differ
        bool local = false;
    };
    struct Remembered {
        protocol::auth::CredentialPtr credential;
        std::optional<TimePoint> proved_at;
        std::uint64_t generation = 0;
        bool local = false;
    };

    [[nodiscard]] const Remembered* remembered(std::string_view user) const;
    [[nodiscard]] bool is_fresh(const Remembered& entry, TimePoint now) const;
    void count_native_hashes();

    AccountRules rules_;
    Names allow_empty_password_;
    Names allow_remote_;
    ByName<Configured> configured_;
    ByName<Fetched> fetched_;
    ByName<Remembered> remembered_;
    std::uint64_t generation_ = 0;
    bool native_hashes_in_use_ = false;
    bool anonymous_is_local_ = false;
};

}  // namespace tidegate::proxy
