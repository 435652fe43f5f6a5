// An import processor on a job table. Any number of them may run, on any number of hosts: each job is claimed by one
// (SELECT .. FOR UPDATE SKIP LOCKED), and one that dies lets go of its job, because the claim is its open transaction.
//
//     import_processor set-up              creates the tables
//     import_processor add NAME=QUANTITY,..   queues an import of so many items
//     import_processor work                does imports until SIGTERM; after 100 jobs or an hour it ends to be started
//     anew import_processor drain               the same, until the queue is empty import_processor status jobs by
//     state
//
// Where the database is, it learns from DB_HOST, DB_USER, DB_PASSWORD, DB_NAME, in the environment or in .env.
#include <tidegate/tidegate.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

using tidegate::Error;
using tidegate::Lease;
using tidegate::Result;

namespace {

struct Import {
    tidegate::Transaction claim;  // holds the row's lock; rolled back when the import fails
    std::uint64_t id = 0;
    std::string items;  // "bolt=500,nut=480"
};

constexpr int kAttempts = 3;

Result<void> set_up(tidegate::Pool& pool) {
    for (const auto* statement :
         {"CREATE TABLE IF NOT EXISTS import_job (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, items TEXT NOT NULL,"
          " state VARCHAR(10) NOT NULL DEFAULT 'queued', attempts INT NOT NULL DEFAULT 0, error TEXT, KEY (state, id))",
          "CREATE TABLE IF NOT EXISTS stock (name VARCHAR(100) PRIMARY KEY, quantity BIGINT NOT NULL)"}) {
        if (auto created = pool.query(statement); !created) return std::unexpected(created.error());
    }
    return {};
}

// The next job, locked until its transaction ends; jobs that others have locked are passed over.
Result<std::optional<Import>> take(Lease& lease) {
    auto claim = lease.begin();
    if (!claim) return std::unexpected(claim.error());
    auto rows = lease.query(
        "SELECT id, items FROM import_job WHERE state = 'queued' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED");
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;  // the transaction ends with `claim`
    auto job = rows->front().as<std::uint64_t, std::string>();
    if (!job) return std::unexpected(job.error());
    return Import{std::move(*claim), std::get<0>(*job), std::get<1>(*job)};
}

// One "name=quantity".
Result<void> import_item(Lease& lease, std::string_view item) {
    const auto equals = item.find('=');
    long quantity = 0;
    const auto number = item.substr(std::min(equals, item.size() - 1) + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), quantity);
    if (equals == std::string_view::npos || error != std::errc() || end != number.data() + number.size()) {
        return std::unexpected(Error{.message = "an item is written name=quantity, and not " + std::string(item)});
    }
    auto stored = lease.execute(
        "INSERT INTO stock (name, quantity) VALUES (?, ?) ON DUPLICATE KEY UPDATE quantity = quantity + ?",
        item.substr(0, equals), quantity, quantity);
    if (!stored) return std::unexpected(stored.error());
    return {};
}

Result<void> import_all(Lease& lease, Import& job) {
    for (std::string_view rest = job.items; !rest.empty();) {
        const auto comma = std::min(rest.find(','), rest.size());
        if (auto imported = import_item(lease, rest.substr(0, comma)); !imported) return imported;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    auto done = lease.execute("UPDATE import_job SET state = 'done', attempts = attempts + 1 WHERE id = ?", job.id);
    if (!done) return std::unexpected(done.error());
    return job.claim.commit();
}

// All of an import, or none of it; one that keeps failing is put aside. Once the claim has ended another processor may
// have the job, hence the second condition.
Result<void> perform(Lease& lease, Import& job) {
    auto imported = import_all(lease, job);
    if (imported) return imported;
    if (auto undone = job.claim.rollback(); !undone) return undone;
    if (tidegate::is_conflict(imported.error())) return imported;  // a deadlock: it is simply done again
    auto noted = lease.execute(
        "UPDATE import_job SET attempts = attempts + 1, error = ?, state = IF(attempts >= ?, 'failed', 'queued') "
        "WHERE id = ? AND state = 'queued'",
        imported.error().message, kAttempts, job.id);
    return noted ? imported : std::unexpected(noted.error());
}

int work(tidegate::Pool& pool, bool until_empty) {
    tidegate::Worker worker(pool, {.rest = std::chrono::seconds(1)});
    const auto end = worker.run(
        [&](Lease& lease) {
            auto job = take(lease);
            if (job && !*job && until_empty) worker.stop();
            return job;
        },
        perform);
    std::cout << end.done << " imports done, " << end.failed << " failed\n";
    return end.reason == tidegate::WorkerEnd::Reason::gave_up ? 1 : 0;
}

int show(const Result<tidegate::Rows>& rows) {
    if (!rows) {
        std::cerr << "import_processor: " << rows.error().message << '\n';
        return 1;
    }
    for (const tidegate::Row row : *rows) {
        std::cout << row.get<std::string>(0).value_or("-") << ' ' << row.get<std::string>(1).value_or("-") << '\n';
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view command = count > 1 ? arguments[1] : "";
    auto pool = tidegate::shared_pool();
    if (!pool) {
        std::cerr << "import_processor: " << pool.error().message << '\n';
        return 78;
    }
    if (command == "set-up") {
        const auto ready = set_up(**pool);
        if (!ready) std::cerr << "import_processor: " << ready.error().message << '\n';
        return ready ? 0 : 1;
    }
    if (command == "add" && count > 2) {
        return show((*pool)->execute("INSERT INTO import_job (items) VALUES (?)", arguments[2]));
    }
    if (command == "work" || command == "drain") return work(**pool, command == "drain");
    if (command == "status") {
        return show((*pool)->query("SELECT state, COUNT(*) FROM import_job GROUP BY state ORDER BY state"));
    }
    std::cerr << "usage: import_processor set-up | add NAME=QUANTITY,.. | work | drain | status\n";
    return 64;
}
