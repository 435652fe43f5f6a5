#include "slots/server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/log.h"
#include "slots/process.h"
#include "slots/text.h"

namespace tidegate::slots {

// One connection to the socket: a client of the slots. It is at rest, waits, or holds a slot.
struct Server::Session {
    Session(std::unique_ptr<net::Stream> connection, Process peer) : stream(std::move(connection)), who(peer) {}

    std::unique_ptr<net::Stream> stream;
    Process who;
    Desk* desk = nullptr;  // while it waits or holds
    std::optional<Order> waiting;
    std::optional<SlotNumber> held;
    bool takes_lock = false;  // the slot's lock goes to the client
    bool has_seat = false;
    PoolFile lock;  // of the slot, where the client does not have it
    TimePoint since{};
    std::string heard;

    // Says it at once: the answers are short, and a client that does not read them is of no use.
    void say(std::string_view text, int descriptor = -1) {
        iovec part{const_cast<char*>(text.data()), text.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
        if (descriptor >= 0) {
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            cmsghdr* header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(sizeof(int));
            std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
        }
        const ssize_t sent = sendmsg(stream->socket().fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent != static_cast<ssize_t>(text.size())) stream->shut_down();
    }
};

namespace {

std::pair<int, std::uint64_t> key_of(const Order& order) {
    return {-order.priority, order.arrival};
}

Process peer_of(int fd) {
    ucred peer{};
    socklen_t length = sizeof peer;
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    Process who = process_of(peer.pid);
    who.uid = peer.uid;
    return who;
}

}  // namespace

Server::Server(net::Loop& loop, proxy::Seats& seats, std::function<unsigned()> limit, const config::Slots& config,
               Place place)
    : loop_(loop), seats_(seats), limit_(std::move(limit)), config_(config), place_(std::move(place)) {
    seats_.on_granted([this] { serve(); });
}

Server::~Server() {
    seats_.on_granted({});
}

Result<std::unique_ptr<Server>> Server::open(net::Loop& loop, proxy::Seats& seats, std::function<unsigned()> limit,
                                             const config::Slots& config, Place place) {
    auto address = net::Address::unix_path(place.socket());
    if (!address) return std::unexpected(address.error());
    auto listener = net::Listener::open(loop, *address);
    if (!listener) return std::unexpected(listener.error());
    std::unique_ptr<Server> server(new Server(loop, seats, std::move(limit), config, std::move(place)));
    server->listener_ = std::move(*listener);
    return server;
}

net::Task<void> Server::accept() {
    while (true) {
        auto stream = co_await listener_->accept();
        if (!stream) break;
        const Process who = peer_of(stream->socket().fd());
        net::spawn(run(std::make_unique<Session>(std::move(stream), who)));
    }
    accepting_ = false;
}

net::Task<void> Server::run(std::unique_ptr<Session> session) {
    ++sessions_;
    all_.push_back(session.get());
    std::array<std::byte, kLongestLine> buffer{};
    while (true) {
        const net::IoResult got = co_await session->stream->read(buffer);
        if (got.status != net::IoStatus::ok) break;
        session->heard.append(reinterpret_cast<const char*>(buffer.data()), got.bytes);
        for (auto end = session->heard.find('\n'); end != std::string::npos; end = session->heard.find('\n')) {
            std::string line = session->heard.substr(0, end);
            session->heard.erase(0, end + 1);
            if (line.ends_with('\r')) line.pop_back();
            handle(*session, line);
        }
        if (session->heard.size() > kLongestLine) {
            session->say(error_line("usage", "a line may have 1024 bytes"));
            break;
        }
    }
    if (session->waiting) leave(*session, Leave::gone);
    if (session->held) release(*session, true);
    std::erase(all_, session.get());
    --sessions_;
    serve();
}

void Server::handle(Session& session, std::string_view text) {
    const auto line = parse_line(text);
    if (!line) {
        session.say("ERR " + line.error().message + "\n");
        return;
    }
    switch (line->verb) {
        case Verb::acquire:
            acquire(session, *line);
            break;
        case Verb::release:
            if (session.waiting) leave(session, Leave::gone);
            if (session.held) release(session, false);
            session.say("OK released\n");
            serve();
            break;
        case Verb::stats: {
            const auto desk = desks_.find(line->pool);
            session.say(stats_line(line->pool, desk == desks_.end() ? Ledger(size()) : desk->second.pool.ledger(),
                                   loop_.now()));
            break;
        }
        case Verb::list:
            session.say(list(text == "LIST" ? "" : line->pool));
            break;
    }
}

std::string Server::list(const std::string& pool) {
    std::string text;
    if (!pool.empty() && !desks_.contains(pool)) {
        if (!desk_of(pool)) return "END\n";
    }
    for (const auto& [name, desk] : desks_) {
        if (pool.empty() || name == pool) text += list_lines(name, desk.pool.ledger(), loop_.now());
    }
    return text + "END\n";
}

unsigned Server::size() const {
    const unsigned limit = limit_();
    return std::min({config_.max.value_or(limit), limit, PoolFile::kMostSlots});
}

unsigned Server::size_of(const Desk& desk) const {
    return std::min(size(), desk.said.value_or(PoolFile::kMostSlots));
}

void Server::resize(Desk& desk, TimePoint now) {
    Ledger& ledger = desk.pool.ledger();
    const unsigned slots = size_of(desk);
    if (ledger.size() == slots) return;
    log::info("The pool '{}' has {} slots now, {} before", desk.pool.name(), slots, ledger.size());
    ledger.resize(slots, now);
}

Result<Server::Desk*> Server::desk_of(const std::string& pool) {
    const auto found = desks_.find(pool);
    if (found != desks_.end()) return &found->second;
    auto opened = GatePool::open(pool, place_.file(pool), size(), loop_.now());
    if (!opened) return std::unexpected(opened.error());
    return &desks_.emplace(pool, Desk{.pool = std::move(*opened), .waiting = {}}).first->second;
}

void Server::acquire(Session& session, const Line& line) {
    if (session.waiting || session.held) {
        session.say(
            error_line("usage", "this connection has a slot already, or waits for one; one connection, one slot"));
        return;
    }
    if (draining_) {
        session.stream->shut_down();
        return;
    }
    auto desk = desk_of(line.pool);
    if (!desk) {
        session.say(error_line("file", desk.error().message));
        return;
    }
    if (!line.command.empty()) session.who.set_command(line.command);
    session.takes_lock = line.lock;
    session.desk = *desk;
    if (line.slots) {
        (*desk)->said = line.slots;
        resize(**desk, Clock::now());
    }
    if (line.resume && resume(session, line, **desk)) return;
    stand_in_line(session, line, **desk);
    serve();
}

void Server::stand_in_line(Session& session, const Line& line, Desk& desk) {
    const TimePoint now = Clock::now();
    Waiter waiter{.order = {.priority = line.priority}, .since = now - line.waited, .who = session.who};
    waiter.deadline = now + line.wait.value_or(config_.wait_timeout);
    session.since = waiter.since;
    session.waiting = desk.pool.ledger().join(waiter, now);
    desk.waiting.emplace(key_of(*session.waiting), &session);
}

// It held this slot under a gate that is gone, and still does.
bool Server::resume(Session& session, const Line& line, Desk& desk) {
    const TimePoint now = Clock::now();
    if (!desk.pool.resume(*line.resume, session.who, now)) return false;
    Ledger& ledger = desk.pool.ledger();
    const Ledger::Next back{.waiter = {}, .slot = *line.resume};
    auto lock = desk.pool.lock(back, now);
    if (!lock || !*lock) return false;
    ledger.found_taken(*line.resume,
                       {.by = HeldBy::connection, .priority = line.priority, .since = now, .who = session.who}, now);
    session.takes_lock = false;
    session.since = now;
    hold(session, desk, *line.resume, std::move(**lock), false);
    return true;
}

void Server::leave(Session& session, Leave how) {
    session.desk->pool.ledger().leave(*session.waiting, how, Clock::now());
    session.desk->waiting.erase(key_of(*session.waiting));
    session.waiting.reset();
}

void Server::release(Session& session, bool gone) {
    const SlotNumber slot = *std::exchange(session.held, std::nullopt);
    const bool by_connection = !session.takes_lock;
    session.lock.close();
    // Whoever holds by a connection to a gate that ends still holds: the record says so to all who come later.
    if (draining_ && gone && by_connection) return;
    const bool died = gone && !lives(session.who);
    GatePool& pool = session.desk->pool;
    const bool free =
        pool.let_go(slot, session.has_seat, died ? Return::holder_died : Return::given_back, Clock::now());
    if (!free) return;
    if (session.has_seat) return_seats(1);
    log::info("Slot {} of '{}' {} {} ({})", slot, pool.name(), died ? "came back from the dead:" : "given back by",
              who(session.who), figures(pool.ledger()));
}

void Server::return_seats(unsigned count) {
    for (unsigned i = 0; i < count; ++i) seats_.give_back();
}

// Of the pools that have a slot for their first, the one whose first goes before the others'.
Server::Desk* Server::next_desk() {
    Desk* best = nullptr;
    Order first;
    for (auto& [name, desk] : desks_) {
        const auto next = desk.pool.ledger().next();
        if (!next || (best != nullptr && !next->waiter.before(first))) continue;
        best = &desk;
        first = next->waiter;
    }
    return best;
}

void Server::serve() {
    if (std::exchange(serving_, true)) return;
    while (seats_.free() > 0) {
        Desk* desk = next_desk();
        if (desk == nullptr) break;
        if (!grant(*desk, *desk->pool.ledger().next())) break;
    }
    unsigned wanted = 0;
    for (const auto& [name, desk] : desks_) wanted += desk.pool.ledger().servable();
    if (draining_) wanted = 0;
    while (seats_.free() > wanted) {  // somebody left meanwhile
        seats_.take();
        seats_.give_back();
    }
    seats_.want(wanted);
    serving_ = false;
}

// False: nothing can be given now.
bool Server::grant(Desk& desk, const Ledger::Next& next) {
    const TimePoint now = Clock::now();
    auto lock = desk.pool.lock(next, now);
    if (!lock) {
        if (!std::exchange(in_trouble_, true)) {
            log::warn("No slot of '{}' can be given: {}", desk.pool.name(), lock.error().message);
        }
        return false;
    }
    in_trouble_ = false;
    if (!*lock) return true;  // somebody has it: there may be another
    const auto found = desk.waiting.find(key_of(next.waiter));
    Session& session = *found->second;
    desk.waiting.erase(found);
    session.waiting.reset();
    seats_.take();
    desk.pool.ledger().take(next, session.takes_lock ? HeldBy::lock : HeldBy::connection, now);
    hold(session, desk, next.slot, std::move(**lock), true);
    return true;
}

void Server::hold(Session& session, Desk& desk, SlotNumber slot, PoolFile lock, bool has_seat) {
    const Duration waited = Clock::now() - session.since;
    session.held = slot;
    session.has_seat = has_seat;
    desk.pool.write_down(slot);
    session.say(ok_line(slot, waited), session.takes_lock ? lock.fd() : -1);
    if (!session.takes_lock) session.lock = std::move(lock);
    log::info("Slot {} of '{}' taken by {} after {} ({})", slot, desk.pool.name(), who(session.who), text_of(waited),
              figures(desk.pool.ledger()));
}

void Server::tick(TimePoint now) {
    if (!started_) {
        started_ = accepting_ = true;
        net::spawn(accept());
    }
    for (auto& [name, desk] : desks_) {
        Ledger& ledger = desk.pool.ledger();
        resize(desk, now);
        return_seats(desk.pool.look_at_others(now));
        for (const Waiter& late : ledger.expire(now)) {
            const auto found = desk.waiting.find(key_of(late.order));
            Session& session = *found->second;
            desk.waiting.erase(found);
            session.waiting.reset();
            session.say(timeout_line(now - late.since, ledger));
            log::warn("No slot of '{}' for {} within {} ({})", name, who(late.who), text_of(now - late.since),
                      figures(ledger));
        }
        desk.pool.flush();
    }
    serve();
}

void Server::reload(const config::Config& config) {
    if (config.slots.path != config_.path) log::warn("A new `path` in [slots] takes a restart; the one before stays");
    const std::string path = config_.path;
    config_ = config.slots;
    config_.path = path;
}

void Server::drain() {
    draining_ = true;
    listener_->shut();
    for (Session* session : all_) session->stream->shut_down();
    for (auto& [name, desk] : desks_) desk.pool.flush();
}

std::vector<PoolView> Server::views() {
    const auto look = [this] {
        std::vector<PoolView> views;
        views.reserve(desks_.size());
        for (const auto& [name, desk] : desks_) views.push_back({name, true, desk.pool.ledger()});
        return views;
    };
    return views_.ask(loop_, look, [] { return true; });
}

}  // namespace tidegate::slots
