// Every key of tidegate.toml and the section that it belongs to: for a key in the wrong place, and for the test that
// holds docs/configuration.md against it. Internal to config/.
#pragma once

#include <array>
#include <string_view>

namespace tidegate::config {

struct Key {
    std::string_view section;  // as it is written: "[pool]", "[[user]]"
    std::string_view name;
};

inline constexpr std::array kKeys{
    Key{"[server]", "url"},
    Key{"[server]", "tls"},
    Key{"[server]", "ca"},
    Key{"[server]", "password_file"},
    Key{"[server]", "connect_timeout"},
    Key{"[server]", "query_timeout"},
    Key{"[server]", "monitor_interval"},
    Key{"[budget]", "max_connections"},
    Key{"[budget]", "reserve"},
    Key{"[budget]", "max_per_user"},
    Key{"[budget]", "opening_at_once"},
    Key{"[listen]", "address"},
    Key{"[listen]", "unix"},
    Key{"[listen]", "tls_cert"},
    Key{"[listen]", "tls_key"},
    Key{"[listen]", "require_tls"},
    Key{"[listen]", "console"},
    Key{"[listen]", "max_clients"},
    Key{"[listen]", "login_timeout"},
    Key{"[listen]", "drain_timeout"},
    Key{"[listen]", "max_login_failures"},
    Key{"[listen]", "login_hold_off"},
    Key{"[listen]", "proxy_protocol_from"},
    Key{"[pool]", "mode"},
    Key{"[pool]", "idle_timeout"},
    Key{"[pool]", "max_age"},
    Key{"[pool]", "wait_timeout"},
    Key{"[pool]", "max_waiting"},
    Key{"[pool]", "idle_in_transaction"},
    Key{"[pool]", "pin_warning"},
    Key{"[pool]", "max_prepared"},
    Key{"[passthrough]", "enabled"},
    Key{"[passthrough]", "proof_expiry"},
    Key{"[passthrough]", "rsa"},
    Key{"[passthrough]", "proving_at_once"},
    Key{"[passthrough]", "proving_per_address"},
    Key{"[passthrough]", "allow_empty_password"},
    Key{"[passthrough]", "allow_remote"},
    Key{"[[user]]", "name"},
    Key{"[[user]]", "password"},
    Key{"[[user]]", "password_file"},
    Key{"[[user]]", "hash"},
    Key{"[[user]]", "class"},
    Key{"[[user]]", "mode"},
    Key{"[[user]]", "max_connections"},
    Key{"[[user]]", "guaranteed"},
    Key{"[[class]]", "name"},
    Key{"[[class]]", "weight"},
    Key{"[[class]]", "match"},
    Key{"[slots]", "max"},
    Key{"[slots]", "wait_timeout"},
    Key{"[slots]", "path"},
    Key{"[[fleet]]", "name"},
    Key{"[[fleet]]", "command"},
    Key{"[[fleet]]", "workers"},
    Key{"[[fleet]]", "batch"},
    Key{"[[fleet]]", "batch_delay"},
    Key{"[[fleet]]", "restart"},
    Key{"[[fleet]]", "max_jobs"},
    Key{"[[fleet]]", "max_time"},
    Key{"[[fleet]]", "max_rss"},
    Key{"[[fleet]]", "stop_timeout"},
    Key{"[[fleet]]", "job_line"},
    Key{"[[fleet]]", "single"},
    Key{"[[fleet]]", "logs"},
    Key{"[[fleet]]", "prefix"},
    Key{"[[kill]]", "name"},
    Key{"[[kill]]", "idle"},
    Key{"[[kill]]", "busy"},
    Key{"[[kill]]", "in_transaction"},
    Key{"[[kill]]", "user"},
    Key{"[[kill]]", "host"},
    Key{"[[kill]]", "schema"},
    Key{"[[kill]]", "program"},
    Key{"[[kill]]", "state"},
    Key{"[[kill]]", "statement"},
    Key{"[[kill]]", "query"},
    Key{"[[kill]]", "limit"},
    Key{"[[kill]]", "every"},
    Key{"[[kill]]", "dry_run"},
    Key{"[[rule]]", "user"},
    Key{"[[rule]]", "address"},
    Key{"[[rule]]", "program"},
    Key{"[[rule]]", "statement"},
    Key{"[[rule]]", "mode"},
    Key{"[[rule]]", "pin"},
    Key{"[[rule]]", "trust_calls"},
    Key{"[api]", "address"},
    Key{"[api]", "token_file"},
    Key{"[log]", "level"},
    Key{"[log]", "format"},
};

// Settings that people carry over from elsewhere, and what to use here.
struct Carried {
    std::string_view name;
    std::string_view instead;
};

inline constexpr std::array kCarried{
    Carried{"pool", "no program has that setting; the number of server connections is `max_connections` in [budget]"},
    Carried{"pool_size", "the number of server connections is `max_connections` in [budget]"},
    Carried{"max_pool_size", "the number of server connections is `max_connections` in [budget]"},
    Carried{"connection_limit", "the number of server connections is `max_connections` in [budget]"},
    Carried{"connectionLimit", "the number of server connections is `max_connections` in [budget]"},
    Carried{"min_pool_size", "connections are opened when they are needed and closed after `idle_timeout` in [pool]"},
    Carried{"pool_mode", "it is `mode` in [pool]"},
    Carried{"redis", "one limit over several hosts comes with a later version; slots are this host's"},
    Carried{"persistent", "clients may connect and leave as they like; server connections are kept for them"},
    Carried{"queueLimit", "it is `max_waiting` in [pool]"},
    Carried{"connectTimeout", "it is `connect_timeout` in [server]"},
    Carried{"host", "the server is one `url` in [server]: mysql://user:password@host:port"},
    Carried{"port", "the server is one `url` in [server]: mysql://user:password@host:port"},
    Carried{"user", "the server is one `url` in [server]: mysql://user:password@host:port"},
};

}  // namespace tidegate::config
