#include "slots/file_turn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "slots/text.h"

namespace tidegate::slots {
namespace {

// The first in line looks again so soon after something was heard, and less and less often while nothing is.
constexpr Duration kFirstPause = 1ms;
constexpr Duration kLongestPause = 1s;

// Is a writer there? Only its owner opens a waiter's FIFO for writing.
bool has_writer(int fifo) {
    char byte = 0;
    const ssize_t got = read(fifo, &byte, 1);
    return got < 0 && errno == EAGAIN;
}

// True: something was there.
bool drain(int fd) {
    std::array<char, 4096> sink{};
    bool any = false;
    while (read(fd, sink.data(), sink.size()) > 0) any = true;
    return any;
}

}  // namespace

bool stands_in_line(const Place& place, const std::string& pool, const Waiter& waiter) {
    const auto path = fmt::format("{}/{}", place.line(pool), waiter.ticket);
    const Descriptor fifo(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    return fifo ? has_writer(fifo.get()) : errno != ENOENT;
}

FileTurn::FileTurn(const Place& place, Claim claim, TimePoint now)
    : place_(place), claim_(std::move(claim)), next_look_(now) {}

FileTurn::~FileTurn() {
    if (order_) leave_line();
}

std::string FileTurn::fifo(std::uint32_t ticket) const {
    return fmt::format("{}/{}", place_.line(claim_.pool), ticket);
}

std::optional<Result<Slot>> FileTurn::look(TimePoint now) {
    ++looks_;
    if (bell_ && drain(bell_.get())) pause_ = {};
    auto got = look_locked(now);
    if (!got) {
        if (order_) leave_line();
        return std::unexpected(std::move(got.error()));
    }
    if (*got) {
        own_fifo_.reset();  // wakes the next, who finds the mutex free
        return std::move(**got);
    }
    return std::nullopt;
}

Result<std::optional<Slot>> FileTurn::look_locked(TimePoint now) {
    if (file_.fd() < 0) {
        auto opened = PoolFile::open(place_.file(claim_.pool));
        if (!opened) return std::unexpected(opened.error());
        file_ = std::move(*opened);
    }
    auto guard = file_.lock();
    if (!guard) return std::unexpected(guard.error());
    auto ledger = file_.load(claim_.slots.value_or(kDefaultSlots));
    if (!ledger) return std::unexpected(ledger.error());
    ledger_ = std::move(*ledger);
    if (auto joined = join(now); !joined) return std::unexpected(joined.error());

    const auto anybody_before = watch_one_before(now);
    if (!anybody_before) return std::unexpected(anybody_before.error());
    if (!*anybody_before) {
        const auto taken = take_if_free(now);
        if (!taken) return std::unexpected(taken.error());
        if (*taken) return Slot(claim_.pool, slot_, std::move(file_), now - claim_.since);
    }
    if (now >= claim_.deadline) {
        ledger_->leave(*order_, Leave::timed_out, now);
        if (auto gone = give_own_place_up(); !gone) return std::unexpected(gone.error());
        return fail(kNoSlot, "08004", no_slot_in_time(claim_.pool, *ledger_, now - claim_.since, now));
    }
    if (!own_fifo_) {
        if (auto made = make_own_place(); !made) return std::unexpected(made.error());
    }
    if (auto stored = file_.store_head(*ledger_); !stored) return std::unexpected(stored.error());
    first_ = !*anybody_before;
    if (first_) {
        listen_for_the_file(now);
    } else {
        bell_.reset();
        next_look_ = claim_.deadline;
    }
    return std::nullopt;
}

// In memory first: an uncontended slot, and one that is not waited for, cost no place in the file.
Result<void> FileTurn::join(TimePoint now) {
    if (order_ && ledger_->waiter(*order_) != nullptr) return {};
    if (claim_.slots && *claim_.slots != ledger_->size()) {
        ledger_->resize(std::min<unsigned>(*claim_.slots, PoolFile::kMostSlots), now);
    }
    own_fifo_.reset();
    ticket_ = PoolFile::free_ticket(*ledger_);
    if (ticket_ >= PoolFile::kMostWaiters) {
        return fail(kNoSlot, "08004",
                    fmt::format("{} wait for a slot of '{}' already; no more can", ledger_->waiting(), claim_.pool));
    }
    Waiter waiter{.order = {.priority = claim_.priority},
                  .since = claim_.since,
                  .deadline = claim_.deadline,
                  .ticket = ticket_,
                  .who = claim_.who};
    order_ = ledger_->join(waiter, now);
    return {};
}

// True: somebody alive is before us, and before_ hangs up when he is not. The dead are taken out on the way.
Result<bool> FileTurn::watch_one_before(TimePoint now) {
    for (std::size_t ahead = ledger_->ahead_of(*order_); ahead > 0; --ahead) {
        const Waiter before = ledger_->line()[ahead - 1];
        const std::string path = fifo(before.ticket);
        Descriptor other(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        if (!other && errno != ENOENT) {
            return fail(fmt::format("the place before in the line, {}, cannot be watched: {}", path,
                                    advice(errno, place_.line(claim_.pool))));
        }
        if (other && has_writer(other.get())) {
            before_ = std::move(other);
            return true;
        }
        ledger_->leave(before.order, Leave::gone, now);
        unlink(path.c_str());
        if (auto cleared = file_.clear_waiter(before.ticket); !cleared) return std::unexpected(cleared.error());
    }
    return false;
}

// REQUIRES: nobody is before us.
Result<bool> FileTurn::take_if_free(TimePoint now) {
    auto next = ledger_->next();
    if (!next) {
        if (auto reaped = file_.reap(*ledger_, now); !reaped) return std::unexpected(reaped.error());
        next = ledger_->next();
    }
    for (; next; next = ledger_->next()) {
        if (file_.try_slot(next->slot)) break;
        // Locked, and nobody has written why: whoever it is, the slot is taken.
        ledger_->found_taken(next->slot, {.by = HeldBy::lock, .since = now}, now);
        if (auto stored = file_.store_holder(*ledger_, next->slot); !stored) return std::unexpected(stored.error());
    }
    if (!next) return false;
    slot_ = next->slot;
    ledger_->take(*next, HeldBy::lock, now);
    auto stored = file_.store_holder(*ledger_, slot_);
    if (stored) stored = give_own_place_up();
    if (!stored) return std::unexpected(stored.error());
    return true;
}

Result<void> FileTurn::make_own_place() {
    const std::string folder = place_.line(claim_.pool);
    const std::string path = fifo(ticket_);
    const auto trouble = [&] {
        return fail(fmt::format("a place in the line, {}, cannot be made: {}", path, advice(errno, folder)));
    };
    unlink(path.c_str());  // of somebody who was killed
    if (mkfifo(path.c_str(), 0600) != 0) {
        struct stat around{};
        if (errno != ENOENT || stat(place_.folder.c_str(), &around) != 0) return trouble();
        if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return trouble();
        chmod(folder.c_str(), around.st_mode & 07777);
        if (mkfifo(path.c_str(), 0600) != 0) return trouble();
    }
    // Whoever may stand in the line may watch those before him.
    chmod(path.c_str(), 0644);
    own_fifo_ = Descriptor(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!own_fifo_) return trouble();
    return file_.store_waiter(*ledger_->waiter(*order_));
}

// The one behind wakes when own_fifo_ is closed.
Result<void> FileTurn::give_own_place_up() {
    order_.reset();
    if (own_fifo_) {
        unlink(fifo(ticket_).c_str());
        if (auto cleared = file_.clear_waiter(ticket_); !cleared) return cleared;
    }
    return file_.store_head(*ledger_);
}

// What is closed is heard of a moment before its locks are gone, so the pauses begin short again.
void FileTurn::listen_for_the_file(TimePoint now) {
    if (!bell_) {
        bell_ = Descriptor(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
        // Where there is none (a user may have 128) there are the pauses.
        if (bell_ && inotify_add_watch(bell_.get(), file_.path().c_str(), IN_CLOSE_WRITE) < 0) bell_.reset();
        pause_ = {};
    }
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    next_look_ = std::min(now + pause_, claim_.deadline);
}

void FileTurn::leave_line() {
    auto guard = file_.lock();
    if (guard) {
        auto ledger = file_.load(kDefaultSlots);
        if (ledger) {
            ledger_ = std::move(*ledger);
            ledger_->leave(*order_, Leave::gone, Clock::now());
            (void)give_own_place_up();
        }
    }
    order_.reset();
    own_fifo_.reset();
}

}  // namespace tidegate::slots
