// An e-mail blast: one orchestrator, several workers, one database that must survive them. The orchestrator starts the
// workers, looks at the database every second and holds no connection in between; each worker claims a few messages at
// a time, sends them, and gives its connection back after every batch.
//
//     email_blast prepare COUNT     creates the tables and queues so many messages
//     email_blast run WORKERS       sends them all, with so many workers; ends when all are sent
//     email_blast work              one worker (the orchestrator starts these)
//
// "Sending" writes to the table `outbox`: nothing leaves the machine. Where the database is, it learns from DB_HOST,
// DB_USER, DB_PASSWORD, DB_NAME, in the environment or in .env.
#include <spawn.h>
#include <sys/wait.h>
#include <tidegate/tidegate.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using tidegate::Lease;
using tidegate::Result;

namespace {

constexpr int kAtOnce = 20;  // messages that a worker claims together

struct Message {
    std::uint64_t id = 0;
    std::string address;
};

struct Batch {
    tidegate::Transaction claim;
    std::vector<Message> messages;
};

int complain(const tidegate::Error& error) {
    std::cerr << "email_blast: " << error.message << '\n';
    return 1;
}

int prepare(tidegate::Pool& pool, int count) {
    auto lease = pool.acquire();
    if (!lease) return complain(lease.error());
    for (const auto* statement : {"CREATE TABLE IF NOT EXISTS message (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, "
                                  "address VARCHAR(200) NOT NULL,"
                                  " sent_at DATETIME(6), KEY (sent_at, id))",
                                  "CREATE TABLE IF NOT EXISTS outbox (message BIGINT UNSIGNED NOT NULL, address "
                                  "VARCHAR(200) NOT NULL, worker INT NOT "
                                  "NULL)"}) {
        if (auto created = lease->query(statement); !created) return complain(created.error());
    }
    auto transaction = lease->begin();
    if (!transaction) return complain(transaction.error());
    for (int i = 1; i <= count; ++i) {
        auto queued =
            lease->execute("INSERT INTO message (address) VALUES (?)", "reader" + std::to_string(i) + "@example.com");
        if (!queued) return complain(queued.error());
    }
    const auto committed = transaction->commit();
    return committed ? 0 : complain(committed.error());
}

// A worker.

Result<std::optional<Batch>> take(Lease& lease) {
    auto claim = lease.begin();
    if (!claim) return std::unexpected(claim.error());
    auto rows = lease.execute(
        "SELECT id, address FROM message WHERE sent_at IS NULL ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED", kAtOnce);
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;
    Batch batch{std::move(*claim), {}};
    for (const tidegate::Row row : *rows) {
        auto message = row.as<std::uint64_t, std::string>();
        if (!message) return std::unexpected(message.error());
        batch.messages.push_back({std::get<0>(*message), std::get<1>(*message)});
    }
    return batch;
}

// What is sent and what is noted as sent are one transaction here. A real mail server is no part of it: note the intent
// first there, and send with a message id that the receiver can tell twins by.
Result<void> send(Lease& lease, Batch& batch) {
    for (const auto& message : batch.messages) {
        auto sent = lease.execute("INSERT INTO outbox (message, address, worker) VALUES (?, ?, ?)", message.id,
                                  message.address, getpid());
        if (!sent) return std::unexpected(sent.error());
        auto noted = lease.execute("UPDATE message SET sent_at = NOW(6) WHERE id = ?", message.id);
        if (!noted) return std::unexpected(noted.error());
    }
    return batch.claim.commit();
}

int work(tidegate::Pool& pool) {
    tidegate::Worker worker(pool, {.rest = std::chrono::milliseconds(500)});
    const auto end = worker.run(take, send);
    if (end.reason == tidegate::WorkerEnd::Reason::gave_up) return complain(end.last_error);
    return 0;
}

// The orchestrator.

void start_worker(std::set<pid_t>& workers, char* program) {
    std::string command = "work";
    char* arguments[] = {program, command.data(), nullptr};
    pid_t pid = 0;
    if (posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, arguments, environ) == 0) workers.insert(pid);
}

// Workers that have ended, to be recycled or because they failed, are replaced while there is something to do.
void replace_ended(std::set<pid_t>& workers, char* program) {
    for (pid_t pid = 0; (pid = waitpid(-1, nullptr, WNOHANG)) > 0;) {
        workers.erase(pid);
        start_worker(workers, program);
    }
}

int orchestrate(tidegate::Pool& pool, int count, char* program) {
    std::set<pid_t> workers;
    for (int i = 0; i < count; ++i) start_worker(workers, program);
    int result = 0;
    for (;;) {
        // The lease of this one statement is given back before the sleep.
        const auto rows = pool.query("SELECT COUNT(*), COUNT(sent_at) FROM message");
        const auto progress = rows ? rows->front().as<int, int>() : std::unexpected(rows.error());
        if (!progress) {
            result = complain(progress.error());
            break;
        }
        const auto [all, sent] = *progress;
        std::cout << sent << " of " << all << " sent, " << workers.size() << " workers" << std::endl;
        if (sent == all) break;
        replace_ended(workers, program);
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    for (const pid_t pid : workers) kill(pid, SIGTERM);  // each finishes its batch first
    for (const pid_t pid : workers) waitpid(pid, nullptr, 0);
    return result;
}

int number(const char* text) {
    int value = 0;
    const std::string_view digits = text;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view command = count > 1 ? arguments[1] : "";
    auto pool = tidegate::Pool::from_environment();
    if (!pool) return complain(pool.error());
    if (command == "prepare" && count > 2) return prepare(*pool, number(arguments[2]));
    if (command == "run" && count > 2) return orchestrate(*pool, number(arguments[2]), arguments[0]);
    if (command == "work") return work(*pool);
    std::cerr << "usage: email_blast prepare COUNT | run WORKERS | work\n";
    return 64;
}
