#include "sim/shell.h"

#include <utility>

namespace tidegate::sim {

Shell::Shell(pool::Options options, budget::Options figures, World& world)
    : world_(world), budget_(figures), pool_(options, budget_, *this), ledger_(pool_, options, figures) {}

void Shell::ask(Client& client, TimePoint now, bool again) {
    now_ = now;
    ledger_.asked(client, now);
    asking_ = &client;
    const pool::Answer answer = again ? pool_.acquire_again(client, now) : pool_.acquire(client, now);
    switch (answer.what) {
        case pool::Acquired::granted:
            asking_ = nullptr;
            ledger_.granted(client, static_cast<ServerConnection&>(*answer.connection), false, now);
            world_.granted(client);
            break;
        case pool::Acquired::waiting:
            enter_waiting();
            break;
        case pool::Acquired::refused:
            asking_ = nullptr;
            ledger_.refused(client, false, now);
            world_.refused(client, answer.error);
            break;
    }
    ledger_.settle(now);
}

void Shell::give_up(Client& client, TimePoint now) {
    now_ = now;
    ledger_.cancelled(client);
    pool_.cancel(client, now);
    ledger_.settle(now);
}

void Shell::give_back(Client& client, TimePoint now) {
    now_ = now;
    ServerConnection& connection = *client.connection;
    ledger_.released(connection);
    pool_.release(connection, now);
    ledger_.settle(now);
}

void Shell::lose(ServerConnection& connection, pool::CloseReason reason, TimePoint now) {
    now_ = now;
    ledger_.gone(connection);
    pool_.closed(connection, reason, now);
    ledger_.settle(now);
    const std::size_t index = connection.index;
    connections_[index].swap(connections_.back());
    connections_[index]->index = index;
    connections_.pop_back();
}

ServerConnection& Shell::enter_opened(pool::Key key, std::uint64_t generation, TimePoint now) {
    now_ = now;
    auto& connection = *connections_.emplace_back(std::make_unique<ServerConnection>());
    connection.index = connections_.size() - 1;
    connection.key = key;
    connection.generation = generation;
    connection.at_server = key.account != kSlots;
    ledger_.opened(connection);
    pool_.opened(connection, now);
    return connection;
}

void Shell::opened(pool::Key key, std::uint64_t generation, TimePoint now) {
    enter_opened(key, generation, now);
    ledger_.settle(now);
}

void Shell::seat_opened(pool::Key key, std::uint64_t generation, TimePoint now) {
    if (budget_.held() > budget_.limit()) return open_failed(key, budget::OpenFailure::other, now);
    ServerConnection& seat = enter_opened(key, generation, now);
    if (seat.state != pool::Connection::State::idle) return ledger_.settle(now);
    lose(seat, pool::CloseReason::seat_left, now);  // nobody wants it now
}

void Shell::open_failed(pool::Key key, budget::OpenFailure failure, TimePoint now) {
    now_ = now;
    ledger_.open_failed(key, failure, now);
    pool_.open_failed(key, failure, Error{.message = "as the simulation wants it"}, now);
    ledger_.settle(now);
}

void Shell::tick(TimePoint now) {
    now_ = now;
    pool_.tick(now);
    ledger_.ticked(now);
}

void Shell::learn(const budget::Learnt& learnt, TimePoint now) {
    now_ = now;
    if (learnt.max_connections) ledger_.learnt.max_connections = learnt.max_connections;
    if (learnt.max_user_connections) ledger_.learnt.max_user_connections = learnt.max_user_connections;
    if (learnt.others) ledger_.learnt.others = learnt.others;
    budget_.learn(learnt);
    pool_.budget_changed(now);
    ledger_.settle(now);
}

void Shell::learn(budget::AccountId account, const budget::LearntAccount& learnt, TimePoint now) {
    now_ = now;
    auto& known = ledger_.learnt_accounts[account];
    if (learnt.max_user_connections) known.max_user_connections = learnt.max_user_connections;
    if (learnt.others) known.others = learnt.others;
    budget_.learn(account, learnt);
    pool_.budget_changed(now);
    ledger_.settle(now);
}

void Shell::set_account(budget::AccountId account, const budget::AccountOptions& options) {
    ledger_.accounts[account] = options;
    budget_.set_account(account, options);
}

void Shell::set_mode(pool::Mode mode, TimePoint now) {
    now_ = now;
    pool_.set_mode(mode, now);
    ledger_.settle(now);
}

void Shell::new_generation(TimePoint now) {
    now_ = now;
    pool_.new_generation(now);
    ledger_.settle(now);
}

void Shell::enter_waiting() {
    if (asking_ != nullptr) ledger_.waits(*asking_);
    asking_ = nullptr;
}

void Shell::open(pool::Key key, std::uint64_t generation) {
    enter_waiting();
    ledger_.opening(key, now_);
    world_.open(key, generation);
}

void Shell::close(pool::Connection& connection, pool::CloseReason) {
    enter_waiting();
    auto& its = static_cast<ServerConnection&>(connection);
    ledger_.closing(its, now_);
    world_.close(its);
}

void Shell::grant(pool::Request& request, pool::Connection& connection) {
    auto& client = static_cast<Client&>(request);
    ledger_.granted(client, static_cast<ServerConnection&>(connection), true, now_);
    world_.granted(client);
}

void Shell::refuse(pool::Request& request, const Error& error) {
    auto& client = static_cast<Client&>(request);
    ledger_.refused(client, true, now_);
    world_.refused(client, error);
}

}  // namespace tidegate::sim
