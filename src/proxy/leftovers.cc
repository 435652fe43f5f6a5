#include "proxy/leftovers.h"

#include <charconv>
#include <utility>

#include "proxy/server_connection.h"

namespace tidegate::proxy {
namespace {

std::optional<std::uint64_t> one_number(const Answer& answer) {
    const auto rows = answer.rows();
    if (rows.empty() || rows[0].empty() || !rows[0][0]) return std::nullopt;
    std::uint64_t value = 0;
    const std::string_view text = *rows[0][0];
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
    return value;
}

}  // namespace

net::Task<bool> Leftovers::fetch(ServerConnection& connection) {
    bool alive = true;
    // In this order: a SELECT resets the count of found rows, and SHOW WARNINGS itself leaves the warnings as they are.
    if (warnings) {
        const Result<Answer> reply = co_await connection.query("SHOW WARNINGS");
        alive = reply.has_value();
        if (alive) warnings_reply = reply->bytes;
    }
    if (alive && found_rows) {
        const Result<Answer> reply = co_await connection.query("SELECT FOUND_ROWS()");
        alive = reply.has_value();
        if (alive) found_rows_value = one_number(*reply);
    }
    if (alive && insert_id) {
        const Result<Answer> reply = co_await connection.query("SELECT LAST_INSERT_ID()");
        alive = reply.has_value();
        if (alive) last_insert_id = one_number(*reply).value_or(last_insert_id);
    }
    lost();
    co_return alive;
}

void Leftovers::lost() {
    insert_id = warnings = found_rows = false;
    fetched_.set();
}

net::Task<void> Leftovers::absorb_earlier() {
    if (!earlier) co_return;
    const std::shared_ptr<Leftovers> before = std::exchange(earlier, nullptr);
    while (before->any()) co_await before->fetched_;
    co_await before->absorb_earlier();
    last_insert_id = before->last_insert_id;
    found_rows_value = before->found_rows_value;
    warnings_reply = before->warnings_reply;
}

}  // namespace tidegate::proxy
