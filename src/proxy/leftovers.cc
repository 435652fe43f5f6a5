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

Leftovers::Leftovers(std::shared_ptr<Leftovers> before)
    : loop_(before->loop_),
      fetched_(before->loop_),
      id_(before->id_),
      rows_(before->rows_),
      warnings_(before->warnings_) {
    const auto there = [](Where where) { return where == Where::memory ? Where::memory : Where::earlier; };
    insert_id_at_ = there(before->insert_id_at_);
    warnings_at_ = there(before->warnings_at_);
    found_rows_at_ = there(before->found_rows_at_);
    earlier_ = std::move(before);
}

void Leftovers::note(const session::Results& results, bool insert_id) {
    if (insert_id) insert_id_at_ = Where::connection;
    if (results.warnings_left() != session::Left::as_before) {
        warnings_at_ = results.warnings_left() == session::Left::on_server ? Where::connection : Where::memory;
        warnings_ = {};
    }
    if (results.found_rows_left() != session::Left::as_before) {
        found_rows_at_ = results.found_rows_left() == session::Left::on_server ? Where::connection : Where::memory;
        rows_.reset();
    }
    if (!has(Where::earlier)) earlier_.reset();
}

net::Task<bool> Leftovers::fetch(ServerConnection& connection) {
    bool alive = true;
    // In this order: a SELECT resets the count of found rows, and SHOW WARNINGS itself leaves the warnings as they are.
    if (warnings_at_ == Where::connection) alive = co_await fetch_warnings(connection);
    if (alive && found_rows_at_ == Where::connection) {
        const Result<Answer> reply = co_await connection.query("SELECT FOUND_ROWS()");
        alive = reply.has_value();
        if (alive) rows_ = one_number(*reply);
    }
    if (alive && insert_id_at_ == Where::connection) {
        const Result<Answer> reply = co_await connection.query("SELECT LAST_INSERT_ID()");
        alive = reply.has_value();
        if (alive) id_ = one_number(*reply).value_or(id_);
    }
    lost();
    co_return alive;
}

net::Task<bool> Leftovers::fetch_warnings(ServerConnection& connection) {
    Result<Answer> reply = co_await connection.query("SHOW WARNINGS");
    if (!reply) co_return false;
    for (const auto& row : reply->rows()) {
        ++warnings_.all;
        if (!row.empty() && row[0] == "Error") ++warnings_.errors;
    }
    if (warnings_.all > 0) warnings_.reply = std::move(reply->bytes);
    co_return true;
}

void Leftovers::lost() {
    for (Where* where : {&insert_id_at_, &warnings_at_, &found_rows_at_}) {
        if (*where == Where::connection) *where = Where::memory;
    }
    fetched_.set();
}

net::Task<void> Leftovers::absorb_earlier() {
    if (!earlier_) co_return;
    const std::shared_ptr<Leftovers> before = std::exchange(earlier_, nullptr);
    while (before->any()) co_await before->fetched_;
    if (insert_id_at_ == Where::earlier) {
        id_ = before->id_;
        insert_id_at_ = Where::memory;
    }
    if (warnings_at_ == Where::earlier) {
        warnings_ = before->warnings_;
        warnings_at_ = Where::memory;
    }
    if (found_rows_at_ == Where::earlier) {
        rows_ = before->rows_;
        found_rows_at_ = Where::memory;
    }
}

net::Task<void> Leftovers::settle_warnings() {
    if (warnings_at_ == Where::earlier) co_await absorb_earlier();
    while (warnings_at_ == Where::connection) co_await fetched_;
}

net::Task<void> Leftovers::settle_found_rows() {
    if (found_rows_at_ == Where::earlier) co_await absorb_earlier();
    while (found_rows_at_ == Where::connection) co_await fetched_;
}

}  // namespace tidegate::proxy
