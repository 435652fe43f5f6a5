// Who holds a slot and who waits for one, as plain data: the ledger's entries, and the records of a slot file.
// Trivially copyable on purpose; text is cut to fit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace tidegate::slots {

// Nothing that goes to terminals, logs and lines of a protocol has these.
[[nodiscard]] constexpr bool is_control(char c) {
    return static_cast<unsigned char>(c) < ' ';
}

// A process that nothing can be mistaken for: a pid comes again, a pid with its start time does not.
struct Process {
    std::int32_t pid = 0;
    std::uint32_t uid = 0;
    std::uint64_t started = 0;  // in the kernel's ticks since the boot, as /proc/PID/stat has it; 0: not known
    std::array<char, 128> words{};

    [[nodiscard]] std::string_view command() const {
        return {words.data(), static_cast<std::size_t>(std::ranges::find(words, '\0') - words.begin())};
    }
    void set_command(std::string_view text) {
        words.fill('\0');
        std::ranges::replace_copy_if(text.substr(0, words.size() - 1), words.begin(), is_control, ' ');
    }
};

// What a slot lasts as long as.
enum class HeldBy : std::uint8_t {
    nobody,
    lock,        // the kernel's lock on the slot's byte: ends with the last process that has it
    connection,  // a connection to the gate, which has the lock
};

struct Holder {
    HeldBy by = HeldBy::nobody;
    std::int32_t priority = 0;
    TimePoint since{};
    Duration waited{};
    Process who{};
};

// A place in the line: the higher priority first, then who came first. Unique within a ledger.
struct Order {
    std::int32_t priority = 0;
    std::uint64_t arrival = 0;  // when it began to wait; the ledger keeps these apart
    [[nodiscard]] bool before(const Order& other) const {
        return priority != other.priority ? priority > other.priority : arrival < other.arrival;
    }
    friend bool operator==(const Order&, const Order&) = default;
};

struct Waiter {
    Order order{};
    TimePoint since{};
    TimePoint deadline{};      // absolute: nothing that happens while it waits moves it
    std::uint32_t ticket = 0;  // the shell's own number for it
    Process who{};
};

}  // namespace tidegate::slots
