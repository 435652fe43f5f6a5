#include "slots/door.h"

#include <dirent.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "slots/line_protocol.h"
#include "slots/process.h"

namespace tidegate::slots {
namespace {

constexpr unsigned kEveryFifth = 5;

int milliseconds_until(TimePoint time) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

}  // namespace

Claim make_claim(std::string pool, Duration wait, TimePoint now) {
    Claim claim;
    claim.pool = std::move(pool);
    claim.since = now;
    claim.deadline = now + wait;
    claim.who = this_process();
    return claim;
}

Result<Door> Door::open(const std::string& named) {
    auto place = find_place(named);
    if (!place) return std::unexpected(place.error());
    return Door(std::move(*place));
}

Result<Slot> Door::acquire(Claim claim, const Waiting& waiting, int stop) const {
    Turn turn(place_, std::move(claim), Clock::now());
    for (unsigned looks = 1;; ++looks) {
        auto got = turn.look(Clock::now());
        if (got) return std::move(*got);
        if (waiting && (looks == 1 || looks % kEveryFifth == 0)) waiting(turn);
        std::array<pollfd, 2> heard{
            {{.fd = turn.descriptor(), .events = POLLIN, .revents = 0}, {.fd = stop, .events = POLLIN, .revents = 0}}};
        const int count = poll(heard.data(), heard.size(), milliseconds_until(turn.next_look()));
        if (count < 0 && errno != EINTR) return fail(fmt::format("waiting for a slot failed: {}", errno));
        if (heard[1].revents != 0) return fail("the wait for a slot was ended");
    }
}

Result<PoolView> Door::look(const std::string& pool) const {
    if (const auto said = ask_gate(place_, "LIST " + pool + "\n", "END\n")) {
        auto listed = parse_list(*said, Clock::now());
        if (listed && listed->size() == 1) return PoolView{pool, true, std::move(listed->front().ledger)};
    }
    return look_at_file(pool);
}

Result<PoolView> Door::look_at_file(const std::string& pool) const {
    PoolView view{.name = pool, .ledger = Ledger(kDefaultSlots)};
    auto file = PoolFile::open(place_.file(pool));
    if (!file) return std::unexpected(file.error());
    auto guard = file->lock();
    if (!guard) return std::unexpected(guard.error());
    auto ledger = file->load(kDefaultSlots);
    if (!ledger) return std::unexpected(ledger.error());
    const TimePoint now = Clock::now();
    const auto reaped = file->reap(*ledger, now);
    if (!reaped) return std::unexpected(reaped.error());
    const std::deque<Waiter> line = ledger->line();
    unsigned gone = 0;
    for (const Waiter& waiter : line) {
        if (stands_in_line(place_, pool, waiter)) continue;
        ledger->leave(waiter.order, Leave::gone, now);
        if (auto cleared = file->clear_waiter(waiter.ticket); !cleared) return std::unexpected(cleared.error());
        ++gone;
    }
    if (*reaped + gone > 0) {
        if (auto stored = file->store_head(*ledger); !stored) return std::unexpected(stored.error());
    }
    view.ledger = std::move(*ledger);
    return view;
}

Result<std::vector<PoolView>> Door::look_at_all() const {
    constexpr std::string_view kEnding = ".slots";
    std::vector<std::string> names;
    DIR* folder = opendir(place_.folder.c_str());
    if (folder == nullptr)
        return fail(fmt::format("{} cannot be read: {}", place_.folder, advice(errno, place_.folder)));
    while (const dirent* entry = readdir(folder)) {
        const std::string_view name = entry->d_name;
        if (name.ends_with(kEnding)) names.emplace_back(name.substr(0, name.size() - kEnding.size()));
    }
    closedir(folder);
    std::ranges::sort(names);
    std::vector<PoolView> views;
    for (const auto& name : names) {
        auto view = look(name);
        if (!view) return std::unexpected(view.error());
        views.push_back(std::move(*view));
    }
    return views;
}

}  // namespace tidegate::slots
