// One pool's file: what all processes that share its slots agree by, with a gate and without one.
//
// Two things are kept apart. The *truth* about who holds slot n is a lock of the kernel on byte kSlotBytes + n, which
// ends with the last process that has it, however that went; the file's contents cannot make it last longer, nor end
// it. The *records* in the file say who that is, and who waits in which order; a record whose owner is gone is cleared
// by whoever comes across it. A holder's lock is a shared one, and a slot is free for him who gets the exclusive one:
// so parent and child can hold the same slot, each in its own right (slot.h).
//
//   0          Head: size, totals, how far the tables reach
//   4096       65536 records of holders, by slot
//   16 MB      65536 records of waiters, by ticket, in no order
//
// Records are read and written only by who has the mutex, which is flock() on the file. The file is sparse. Each object
// is one open description with locks of its own; one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "slots/ledger.h"

namespace tidegate::slots {

// A descriptor that closes itself.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { reset(); }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
    int release() {
        const int fd = fd_;
        fd_ = -1;
        return fd;
    }
    void reset();

private:
    int fd_ = -1;
};

class PoolFile {
public:
    static constexpr SlotNumber kMostSlots = 65536;
    static constexpr std::uint32_t kMostWaiters = 65536;

    PoolFile() = default;
    // Makes the file when it is missing; whoever may write in its folder may use it.
    [[nodiscard]] static Result<PoolFile> open(const std::string& path);
    // A description that somebody else has opened (and locked).
    PoolFile(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

    // Has the mutex while it lives.
    class Guard {
    public:
        explicit Guard(int fd) : fd_(fd) {}
        Guard(Guard&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
        Guard& operator=(Guard&&) = delete;
        ~Guard();

    private:
        int fd_;
    };
    [[nodiscard]] Result<Guard> lock();
    [[nodiscard]] std::optional<Guard> try_lock();  // nothing: somebody else has it now

    // REQUIRES: the mutex, from here on. What is written down; `size` is that of a pool that is new.
    [[nodiscard]] Result<Ledger> load(unsigned size);
    [[nodiscard]] Result<void> store_head(const Ledger& ledger);
    // The same for who keeps a line of his own: that in the file is left as it was last loaded.
    [[nodiscard]] Result<void> store_head_but_line(const Ledger& ledger);
    [[nodiscard]] Result<void> store_holder(const Ledger& ledger, SlotNumber slot);
    [[nodiscard]] Result<void> store_waiter(const Waiter& waiter);
    [[nodiscard]] Result<void> clear_waiter(std::uint32_t ticket);
    [[nodiscard]] static std::uint32_t free_ticket(const Ledger& ledger);

    // Locks a slot for this description; false: it is taken.
    [[nodiscard]] bool try_slot(SlotNumber slot);
    void drop_slot(SlotNumber slot);
    // Does anybody but this description have it?
    [[nodiscard]] bool is_taken(SlotNumber slot) const;
    // Takes the records of holders who are gone out of the ledger and of the file; how many.
    [[nodiscard]] Result<unsigned> reap(Ledger& ledger, TimePoint now);

    // Another description of the same file, without locks.
    [[nodiscard]] Result<PoolFile> again() const;
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }
    void close() { fd_.reset(); }

private:
    friend bool hold_slot_in_child(int fd, SlotNumber slot);
    [[nodiscard]] Result<void> store_head(const Ledger& ledger, std::uint32_t waiters_top);
    [[nodiscard]] Result<void> write(const void* from, std::size_t bytes, std::int64_t at) const;

    std::string path_;
    Descriptor fd_;
    std::uint32_t waiters_top_ = 0;  // records of waiters that may be in use, as last loaded
    std::uint32_t holders_top_ = 0;
};

// In a child between fork() and exec(): takes the slot's lock for this process alone, which keeps it through exec() and
// does not hand it to its children. `fd` is a description without locks, and the only descriptor of the file that this
// process has. Async-signal-safe.
[[nodiscard]] bool hold_slot_in_child(int fd, SlotNumber slot);

}  // namespace tidegate::slots
