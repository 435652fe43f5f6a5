#include "cli/demo/crowd.h"

#include <fmt/core.h>
#include <mysql.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "cli/demo/interrupt.h"

namespace tidegate::demo {
namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool run_statement(MYSQL* handle, const std::string& statement) {
    if (mysql_real_query(handle, statement.data(), statement.size()) != 0) return false;
    if (MYSQL_RES* result = mysql_store_result(handle)) mysql_free_result(result);
    return mysql_errno(handle) == 0;
}

double percentile(const std::vector<double>& sorted, double share) {
    if (sorted.empty()) return 0;
    const auto at = static_cast<std::size_t>(std::lround(share * static_cast<double>(sorted.size() - 1)));
    return sorted[at];
}

}  // namespace

// One client's day: connect, a short transaction, a query of 20 ms, quit.
void Crowd::serve(Client& client) {
    const double start = now();
    MYSQL* handle = mysql_init(nullptr);
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &kClientPatience);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &kClientPatience);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &kClientPatience);
    const bool connected = mysql_real_connect(handle, "127.0.0.1", target_.user.c_str(), target_.password.c_str(),
                                              target_.schema.c_str(), target_.port, nullptr, 0) != nullptr;
    const bool done = connected && run_statement(handle, "BEGIN") &&
                      run_statement(handle, fmt::format("INSERT INTO orders (client, phase) VALUES ({}, {})",
                                                        client.index, target_.phase)) &&
                      run_statement(handle, fmt::format("SELECT * FROM orders WHERE client = {}", client.index)) &&
                      run_statement(handle, "COMMIT") && run_statement(handle, "SELECT SLEEP(0.02)");
    if (!done) {
        client.error = mysql_errno(handle);
        client.sentence = mysql_error(handle);
    }
    mysql_close(handle);
    client.ms = (now() - start) * 1000;
    ++(done ? progress_.succeeded : progress_.failed);
}

void* Crowd::client_main(void* argument) {
    auto& client = *static_cast<Client*>(argument);
    Crowd& crowd = *client.crowd;
    mysql_thread_init();
    crowd.gate_.wait(0);
    if (crowd.gate_ == 1) crowd.serve(client);
    mysql_thread_end();
    ++crowd.back_;
    return nullptr;
}

Result<void> Crowd::start(unsigned clients) {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    clients_.resize(clients);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    constexpr std::size_t kStack = std::size_t{512} * 1024;
    pthread_attr_setstacksize(&attributes, kStack);
    int error = 0;
    for (unsigned i = 0; i < clients && error == 0; ++i) {
        clients_[i].crowd = this;
        clients_[i].index = static_cast<int>(i);
        error = pthread_create(&clients_[i].thread, &attributes, &Crowd::client_main, &clients_[i]);
        if (error != 0) clients_.resize(i);
    }
    pthread_attr_destroy(&attributes);
    began_ = now();
    gate_ = error == 0 ? 1 : 2;
    gate_.notify_all();
    if (error == 0) return {};
    const auto started = clients_.size();
    (void)finish();
    return fail(fmt::format("only {} of {} clients could be started ({}); see ulimit -u, or take fewer with --clients",
                            started, clients, std::strerror(error)));
}

bool Crowd::all_back() {
    if (back_ < clients_.size()) return false;
    ended_ = now();
    return true;
}

Outcome Crowd::finish() {
    Outcome outcome;
    outcome.clients = static_cast<unsigned>(clients_.size());
    outcome.seconds = ended_ - began_;
    std::vector<double> times;
    std::map<unsigned, Failure> by_number;
    for (auto& client : clients_) {
        pthread_join(client.thread, nullptr);
        if (client.error == 0) {
            times.push_back(client.ms);
            continue;
        }
        auto& failure = by_number[client.error];
        if (++failure.clients == 1) failure = {client.error, 1, client.sentence};
    }
    std::ranges::sort(times);
    outcome.succeeded = static_cast<unsigned>(times.size());
    outcome.median_ms = percentile(times, 0.5);
    outcome.p99_ms = percentile(times, 0.99);
    for (auto& [number, failure] : by_number) outcome.failures.push_back(std::move(failure));
    std::ranges::sort(outcome.failures, std::greater{}, &Failure::clients);
    return outcome;
}

}  // namespace tidegate::demo
