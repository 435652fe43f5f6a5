#include "proxy/accounts.h"

#include <algorithm>
#include <utility>

#include "protocol/auth/native.h"

namespace tidegate::proxy {

namespace auth = protocol::auth;

namespace {

using auth::Credential;

// The same password, whether known itself or by its stage 1.
bool same_password(const Credential& a, const Credential& b) {
    if (a.kind == b.kind) return a == b;
    if (a.bytes.empty() || b.bytes.empty()) return false;
    return stage1_of(a) == stage1_of(b);
}

bool same_hash(const std::shared_ptr<const auth::PasswordHash>& a, const std::shared_ptr<const auth::PasswordHash>& b) {
    return a == b || (a != nullptr && b != nullptr && *a == *b);
}

bool same_account(const ConfiguredAccount& a, const ConfiguredAccount& b) {
    const bool same =
        a.password == b.password || (a.password != nullptr && b.password != nullptr && *a.password == *b.password);
    return same && same_hash(a.hash, b.hash);
}

}  // namespace

bool is_local_host(std::string_view host) {
    return host == "localhost" || host.starts_with("localhost.") || host.starts_with("127.") || host == "::1";
}

void AccountBook::set_rules(AccountRules rules) {
    rules_ = std::move(rules);
    allow_empty_password_ = Names(rules_.allow_empty_password.begin(), rules_.allow_empty_password.end());
    allow_remote_ = Names(rules_.allow_remote.begin(), rules_.allow_remote.end());
}

void AccountBook::set_configured(std::vector<ConfiguredAccount> accounts) {
    ByName<Configured> next;
    for (std::size_t i = 0; i < accounts.size(); ++i) {
        std::string name = accounts[i].name;
        next.insert_or_assign(std::move(name), Configured{i, std::move(accounts[i])});
    }
    // What was remembered under other rules must not outlive them, in either direction.
    std::erase_if(remembered_, [&](const auto& entry) {
        const auto before = configured_.find(entry.first);
        const auto after = next.find(entry.first);
        if (before == configured_.end() || after == next.end()) {
            return (before == configured_.end()) != (after == next.end());
        }
        return !same_account(before->second.account, after->second.account);
    });
    configured_ = std::move(next);
    count_native_hashes();
}

void AccountBook::set_fetched(const std::vector<FetchedAccount>& rows, bool gate_is_local) {
    ByName<Fetched> next;
    for (const FetchedAccount& row : rows) {
        HashPtr hash;
        if (row.plugin == auth::native_plugin) {
            if (auto parsed = auth::parse_password_hash(row.authentication_string);
                parsed && std::holds_alternative<auth::NativeStage2>(*parsed)) {
                hash = std::make_shared<const auth::PasswordHash>(std::move(*parsed));
            }
        }
        const bool local = gate_is_local && is_local_host(row.host);
        const auto [it, added] = next.try_emplace(row.user, Fetched{hash, local});
        if (added) continue;
        it->second.local |= local;
        // Which row the server takes depends on hosts that it resolves: where they differ, it is left to the server.
        if (!same_hash(it->second.hash, hash)) it->second.hash = nullptr;
    }
    for (const auto& [user, before] : fetched_) {
        const auto after = next.find(user);
        if (after != next.end() && same_hash(before.hash, after->second.hash)) continue;
        if (const auto it = remembered_.find(user); it != remembered_.end()) it->second.proved_at.reset();
    }
    fetched_ = std::move(next);
    const auto anonymous = fetched_.find(std::string_view());
    anonymous_is_local_ = anonymous != fetched_.end() && anonymous->second.local;
    count_native_hashes();
}

auth::AccountView AccountBook::view(std::string_view user, TimePoint now) const {
    auth::AccountView view;
    if (const Remembered* entry = remembered(user)) {
        view.credential = entry->credential;
        view.proof_fresh = is_fresh(*entry, now);
        view.local_clients_only = entry->local;
    }
    if (const auto it = configured_.find(user); it != configured_.end()) {
        const ConfiguredAccount& account = it->second.account;
        if (account.password != nullptr) view.credential = account.password;
        view.hash = account.hash;
        view.server_decides = false;
        view.local_clients_only = false;
        view.local_account_anywhere = true;
        view.empty_password_anywhere = true;
        return view;
    }
    if (const auto it = fetched_.find(user); it != fetched_.end()) {
        view.hash = it->second.hash;
        view.local_clients_only |= it->second.local;
    }
    view.local_clients_only |= anonymous_is_local_;
    view.local_account_anywhere = allow_remote_.contains(user);
    if (view.local_account_anywhere) view.local_clients_only = false;
    view.empty_password_anywhere = allow_empty_password_.contains(user);
    view.server_decides = rules_.pass_through;
    return view;
}

std::optional<std::size_t> AccountBook::configured_index(std::string_view user) const {
    const auto it = configured_.find(user);
    return it == configured_.end() ? std::nullopt : std::optional(it->second.index);
}

void AccountBook::remember(std::string_view user, const auth::CredentialPtr& credential, bool proved, TimePoint now,
                           std::string_view matched_host) {
    auto it = remembered_.find(user);
    if (it == remembered_.end()) {
        if (remembered_.size() >= max_remembered) remembered_.erase(remembered_.begin());
        it = remembered_.try_emplace(std::string(user)).first;
    }
    Remembered& entry = it->second;
    // A password is worth more than its stage 1: it logs in with any plug-in.
    const bool keep = entry.credential != nullptr && entry.credential->kind == Credential::Kind::password &&
                      same_password(*entry.credential, *credential);
    if (!keep) entry.credential = credential;
    if (!matched_host.empty()) entry.local = is_local_host(matched_host);
    if (proved) {
        entry.proved_at = now;
        entry.generation = generation_;
    }
}

bool AccountBook::is_proved(std::string_view user, const Credential& credential, TimePoint now) const {
    const Remembered* entry = remembered(user);
    return entry != nullptr && is_fresh(*entry, now) && same_password(*entry->credential, credential);
}

auth::CredentialPtr AccountBook::credential(std::string_view user) const {
    if (const auto it = configured_.find(user); it != configured_.end() && it->second.account.password != nullptr) {
        return it->second.account.password;
    }
    const Remembered* entry = remembered(user);
    return entry == nullptr ? nullptr : entry->credential;
}

void AccountBook::refused(std::string_view user, const Credential& credential) {
    const auto it = remembered_.find(user);
    if (it != remembered_.end() && same_password(*it->second.credential, credential)) remembered_.erase(it);
}

void AccountBook::forget(std::string_view user) {
    if (const auto it = remembered_.find(user); it != remembered_.end()) remembered_.erase(it);
}

const AccountBook::Remembered* AccountBook::remembered(std::string_view user) const {
    const auto it = remembered_.find(user);
    return it == remembered_.end() ? nullptr : &it->second;
}

bool AccountBook::is_fresh(const Remembered& entry, TimePoint now) const {
    return entry.proved_at && entry.generation == generation_ && now - *entry.proved_at < rules_.proof_expiry;
}

void AccountBook::count_native_hashes() {
    const auto is_native = [](const HashPtr& hash) {
        return hash != nullptr && std::holds_alternative<auth::NativeStage2>(*hash);
    };
    native_hashes_in_use_ =
        std::ranges::any_of(fetched_, [&](const auto& entry) { return is_native(entry.second.hash); }) ||
        std::ranges::any_of(configured_, [&](const auto& entry) { return is_native(entry.second.account.hash); });
}

}  // namespace tidegate::proxy
