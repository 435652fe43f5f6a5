#include "slots/pool_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <type_traits>

#include "slots/place.h"
#include "slots/process.h"

namespace tidegate::slots {
namespace {

constexpr std::array<char, 8> kMagic{'T', 'I', 'D', 'E', 'S', 'L', 'O', 'T'};
constexpr std::uint32_t kVersion = 1;

struct Head {
    std::array<char, 8> magic = kMagic;
    std::uint32_t version = kVersion;
    std::uint32_t size = 0;
    std::uint32_t holders_top = 0;
    std::uint32_t waiters_top = 0;
    Totals totals;
};
struct WaiterRecord {
    std::uint8_t used = 0;  // not a bool: the file may hold anything
    Waiter waiter;
};
static_assert(std::is_trivially_copyable_v<Head> && sizeof(Head) <= 4096);
static_assert(std::is_trivially_copyable_v<Holder> && std::is_trivially_copyable_v<WaiterRecord>);

constexpr std::int64_t kHolders = 4096;
constexpr std::int64_t kWaiters = std::int64_t{16} << 20;
constexpr std::int64_t kSlotBytes = std::int64_t{1} << 40;  // far behind the contents: bytes to lock, never written
static_assert(kHolders + std::int64_t{PoolFile::kMostSlots} * std::int64_t{sizeof(Holder)} <= kWaiters);

std::int64_t place_of_holder(SlotNumber slot) {
    return kHolders + std::int64_t{slot} * std::int64_t{sizeof(Holder)};
}
std::int64_t place_of_waiter(std::uint32_t ticket) {
    return kWaiters + std::int64_t{ticket} * std::int64_t{sizeof(WaiterRecord)};
}

struct flock lock_of(short type, SlotNumber slot) {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = kSlotBytes + slot;
    lock.l_len = 1;
    return lock;
}

std::unexpected<Error> trouble(std::string_view what, const std::string& path, int error) {
    return fail(fmt::format("the slots' file {} cannot be {}: {}", path, what, advice(error, path)));
}

// Reads up to `bytes`; what lies behind the file's end is zero.
bool read_at(int fd, void* into, std::size_t bytes, std::int64_t at) {
    auto* to = static_cast<char*>(into);
    while (bytes > 0) {
        const ssize_t got = pread(fd, to, bytes, at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) {
            std::memset(to, 0, bytes);
            return true;
        }
        to += got;
        at += got;
        bytes -= static_cast<std::size_t>(got);
    }
    return true;
}

// ---- What is read may be of before the machine was started anew, or rubbish that somebody has written. Whose slot it
// is says the kernel, so the records need not be right; but they must be such that one can count with them and print
// them.

constexpr Duration kEver = 87600h;

TimePoint past(TimePoint time, TimePoint now) {
    return std::clamp(time, now - kEver, now);
}

void mend(Process& who) {
    if (std::ranges::none_of(who.command(), is_control)) return;
    who.set_command(std::string(who.command()));
}

void mend(Holder& holder, TimePoint now) {
    if (holder.by > HeldBy::connection) holder.by = HeldBy::lock;
    holder.since = past(holder.since, now);
    holder.waited = std::clamp(holder.waited, Duration::zero(), kEver);
    mend(holder.who);
}

void mend(Waiter& waiter, std::uint32_t ticket, TimePoint now) {
    waiter.since = past(waiter.since, now);
    waiter.deadline = std::clamp(waiter.deadline, now - kEver, now + kEver);
    waiter.ticket = ticket;
    mend(waiter.who);
}

void mend(Totals& totals, TimePoint now) {
    if (!totals.waits.plausible()) totals = {};
    totals.last_update = past(totals.last_update, now);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

void Descriptor::reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

PoolFile::Guard::~Guard() {
    if (fd_ >= 0) flock(fd_, LOCK_UN);
}

Result<PoolFile> PoolFile::open(const std::string& path) {
    int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            // Who may write in the folder may share its slots.
            struct stat folder{};
            if (stat(path.substr(0, path.rfind('/')).c_str(), &folder) == 0) {
                fchmod(fd, 0600 | (folder.st_mode & 0020 ? 0060 : 0) | (folder.st_mode & 0002 ? 0006 : 0));
            }
        } else if (errno == EEXIST) {  // somebody was faster
            fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        }
    }
    if (fd < 0) return trouble("opened", path, errno);
    return PoolFile(path, Descriptor(fd));
}

Result<PoolFile> PoolFile::again() const {
    // The same file, even if its name is gone.
    const int fd = ::open(fmt::format("/proc/self/fd/{}", fd_.get()).c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return trouble("opened", path_, errno);
    return PoolFile(path_, Descriptor(fd));
}

Result<PoolFile::Guard> PoolFile::lock() {
    while (flock(fd_.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return trouble("locked", path_, errno);
    }
    return Guard(fd_.get());
}

std::optional<PoolFile::Guard> PoolFile::try_lock() {
    if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
    return Guard(fd_.get());
}

Result<Ledger> PoolFile::load(unsigned size) {
    Head head;
    if (!read_at(fd_.get(), &head, sizeof head, 0)) return trouble("read", path_, errno);
    if (head.version == 0 && head.magic == std::array<char, 8>{}) {
        head = Head{};
        head.size = std::min(size, kMostSlots);
    }
    if (head.magic != kMagic || head.version != kVersion || head.size > kMostSlots || head.holders_top > kMostSlots ||
        head.waiters_top > kMostWaiters) {
        return fail(fmt::format(
            "{} is not a slots' file of this version of Tidegate; when nothing uses it any more, remove it", path_));
    }
    holders_top_ = head.holders_top;
    waiters_top_ = head.waiters_top;
    std::vector<Holder> holders(holders_top_);
    std::vector<WaiterRecord> records(waiters_top_);
    if (!read_at(fd_.get(), holders.data(), holders.size() * sizeof(Holder), kHolders) ||
        !read_at(fd_.get(), records.data(), records.size() * sizeof(WaiterRecord), kWaiters)) {
        return trouble("read", path_, errno);
    }
    const TimePoint now = Clock::now();
    mend(head.totals, now);
    for (Holder& holder : holders) mend(holder, now);
    std::deque<Waiter> line;
    for (std::uint32_t ticket = 0; ticket < waiters_top_; ++ticket) {
        if (records[ticket].used == 0) continue;
        mend(records[ticket].waiter, ticket, now);
        line.push_back(records[ticket].waiter);
    }
    std::ranges::sort(line, [](const Order& a, const Order& b) { return a.before(b); }, &Waiter::order);
    const auto twice = std::ranges::unique(line, {}, &Waiter::order);
    line.erase(twice.begin(), twice.end());
    return Ledger(head.size, std::move(holders), std::move(line), head.totals);
}

Result<void> PoolFile::write(const void* from, std::size_t bytes, std::int64_t at) const {
    const auto* source = static_cast<const char*>(from);
    while (bytes > 0) {
        const ssize_t put = pwrite(fd_.get(), source, bytes, at);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return trouble("written", path_, put < 0 ? errno : ENOSPC);
        source += put;
        at += put;
        bytes -= static_cast<std::size_t>(put);
    }
    return {};
}

Result<void> PoolFile::store_head(const Ledger& ledger) {
    return store_head(ledger, ledger.waiting() == 0 ? 0 : waiters_top_);
}

Result<void> PoolFile::store_head_but_line(const Ledger& ledger) {
    return store_head(ledger, waiters_top_);
}

Result<void> PoolFile::store_head(const Ledger& ledger, std::uint32_t waiters_top) {
    Head head;
    head.size = ledger.size();
    head.holders_top = holders_top_;
    head.waiters_top = waiters_top;
    head.totals = ledger.totals();
    return write(&head, sizeof head, 0);
}

Result<void> PoolFile::store_holder(const Ledger& ledger, SlotNumber slot) {
    static const Holder nobody{};
    const Holder* holder = ledger.holder(slot);
    holders_top_ = std::max(holders_top_, slot + 1);
    return write(holder != nullptr ? holder : &nobody, sizeof(Holder), place_of_holder(slot));
}

Result<void> PoolFile::store_waiter(const Waiter& waiter) {
    waiters_top_ = std::max(waiters_top_, waiter.ticket + 1);
    const WaiterRecord record{.used = 1, .waiter = waiter};
    return write(&record, sizeof record, place_of_waiter(waiter.ticket));
}

Result<void> PoolFile::clear_waiter(std::uint32_t ticket) {
    const WaiterRecord record{};
    return write(&record, sizeof record, place_of_waiter(ticket));
}

std::uint32_t PoolFile::free_ticket(const Ledger& ledger) {
    std::vector<bool> used(ledger.line().size() + 1);
    for (const Waiter& waiter : ledger.line()) {
        if (waiter.ticket < used.size()) used[waiter.ticket] = true;
    }
    return static_cast<std::uint32_t>(std::ranges::find(used, false) - used.begin());
}

bool PoolFile::try_slot(SlotNumber slot) {
    // Exclusive first, to know that nobody has it; then shared, which is how it is held.
    struct flock lock = lock_of(F_WRLCK, slot);
    if (fcntl(fd_.get(), F_OFD_SETLK, &lock) != 0) return false;
    lock = lock_of(F_RDLCK, slot);
    return fcntl(fd_.get(), F_OFD_SETLK, &lock) == 0;
}

void PoolFile::drop_slot(SlotNumber slot) {
    struct flock lock = lock_of(F_UNLCK, slot);
    fcntl(fd_.get(), F_OFD_SETLK, &lock);
}

bool PoolFile::is_taken(SlotNumber slot) const {
    struct flock lock = lock_of(F_WRLCK, slot);
    return fcntl(fd_.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

Result<unsigned> PoolFile::reap(Ledger& ledger, TimePoint now) {
    unsigned found = 0;
    const auto slots = static_cast<SlotNumber>(ledger.holders().size());
    for (SlotNumber slot = 0; slot < slots; ++slot) {
        const Holder* holder = ledger.holder(slot);
        if (holder == nullptr || is_taken(slot)) continue;
        // The gate had the lock for it and was killed; the holder may not know yet.
        if (holder->by == HeldBy::connection && lives(holder->who)) continue;
        ledger.release(slot, Return::holder_died, now);
        auto stored = store_holder(ledger, slot);
        if (!stored) return std::unexpected(stored.error());
        ++found;
    }
    return found;
}

bool hold_slot_in_child(int fd, SlotNumber slot) {
    struct flock lock = lock_of(F_RDLCK, slot);
    return fcntl(fd, F_SETLK, &lock) == 0 && fcntl(fd, F_SETFD, 0) == 0;
}

}  // namespace tidegate::slots
