// A pool's file into which somebody writes anything at any moment, while others take slots by it: there are never more
// holders than slots, whoever gets none is told why, and as soon as all are gone every slot can be had again, unless
// the file is so broken that it is refused.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <list>
#include <set>
#include <span>
#include <vector>

#include "slots/door.h"
#include "slots/file_turn.h"
#include "slots/gate_pool.h"
#include "slots/line_protocol.h"

namespace {

using namespace tidegate;
using namespace tidegate::slots;

void check(bool held) {
    if (!held) std::abort();
}

// One folder for all inputs; gone at the end.
struct Folder {
    Folder() {
        const char* parent = std::getenv("TMPDIR");
        std::string name = std::string(parent != nullptr ? parent : "/tmp") + "/tidegate-fuzz-XXXXXX";
        check(mkdtemp(name.data()) != nullptr);
        place.folder = name;
    }
    ~Folder() { std::filesystem::remove_all(place.folder); }
    void empty() const {
        for (const auto& entry : std::filesystem::directory_iterator(place.folder)) {
            std::filesystem::remove_all(entry.path());
        }
    }
    Place place;
};

class Script {
public:
    Script(std::span<const std::uint8_t> bytes, const Place& place)
        : bytes_(bytes), place_(place), file_(place.file(kPool)), slots_(1 + byte() % 3U) {}

    void play() {
        for (unsigned steps = 0; !bytes_.empty() && steps < kMostSteps; ++steps) step();
        turns_.clear();
        slots_held_.clear();
        everything_comes_back();
    }

private:
    static constexpr const char* kPool = "default";
    static constexpr std::size_t kMostTurns = 8;
    static constexpr unsigned kMostSteps = 64;

    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const std::uint8_t first = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return first;
    }
    std::span<const std::uint8_t> some(std::size_t count) {
        const auto taken = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }

    void step() {
        switch (byte() % 10) {
            case 0:
            case 1:
                return scribble();
            case 2:
                return write_head();
            case 3:
                return cut();
            case 4:
            case 5:
                if (turns_.size() < kMostTurns) turns_.emplace_back(place_, claim(), Clock::now());
                return look(turns_.size() - 1);
            case 6:
                return look(byte());
            case 7:
                return leave(byte());
            case 8:
                return give_back(byte());
            case 9:
                return view();
        }
    }

    // ---- what is written into the file

    void write(std::span<const std::uint8_t> what, std::int64_t at) const {
        const Descriptor fd(open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        check(fd && pwrite(fd.get(), what.data(), what.size(), at) == static_cast<ssize_t>(what.size()));
    }
    // Anywhere in the head, the first holders and the first waiters.
    void scribble() {
        constexpr std::array<std::int64_t, 3> kTables{0, 4096, std::int64_t{16} << 20};
        const std::int64_t at = kTables[byte() % kTables.size()] + byte() * 8;
        write(some(byte()), at);
    }
    // One that is believed: the figures are any.
    void write_head() {
        std::array<std::uint8_t, 24> head{'T', 'I', 'D', 'E', 'S', 'L', 'O', 'T', 1};
        for (const std::size_t figure : {12U, 16U, 20U}) {
            head[figure] = byte();
            head[figure + 1] = figure == 12 ? byte() : 0;
        }
        write(head, 0);
    }
    void cut() {
        if (truncate(file_.c_str(), byte() * 64L) != 0) write({}, 0);
    }

    // ---- those who use it

    Claim claim() {
        Claim claim = make_claim(kPool, byte() % 4 == 0 ? 0s : 1h, Clock::now());
        claim.slots = slots_;
        claim.priority = byte() % 3;
        return claim;
    }
    template <class List>
    static auto nth(List& list, std::size_t n) {
        return std::next(list.begin(), static_cast<std::ptrdiff_t>(n % list.size()));
    }
    void look(std::size_t n) {
        if (turns_.empty()) return;
        const auto turn = nth(turns_, n);
        auto said = turn->look(Clock::now());
        // How many there are is written in the file, and what is written is believed.
        if (turn->ledger()) most_slots_ = std::max(most_slots_, turn->ledger()->size());
        if (!said) return;
        turns_.erase(turn);
        if (*said) {
            take(std::move(**said));
        } else {
            const Error& error = said->error();
            check(error.code == kNoSlot ? error.message.contains("no slot of 'default'") : is_refused(error));
        }
    }
    void leave(std::size_t n) {
        if (!turns_.empty()) turns_.erase(nth(turns_, n));
    }
    void give_back(std::size_t n) {
        if (!slots_held_.empty()) slots_held_.erase(nth(slots_held_, n));
    }
    void take(Slot slot) {
        check(slot.number() < most_slots_);
        for (const Slot& other : slots_held_) check(other.number() != slot.number());
        slots_held_.push_back(std::move(slot));
        check(slots_held_.size() <= most_slots_);
    }
    [[nodiscard]] bool is_refused(const Error& error) const {
        return error.message.contains(file_) && error.message.contains("is not a slots' file of this version");
    }

    // What `tidegate slots` shows, and what a gate that starts finds.
    void view() {
        const auto views = Door(place_).look_at_all();
        check(views ? views->size() <= 1 : is_refused(views.error()));
        const TimePoint now = Clock::now();
        auto gate = GatePool::open(kPool, file_, slots_, now);
        if (!gate) return check(is_refused(gate.error()));
        const std::string list = list_lines(kPool, gate->ledger(), now) + "END\n";
        check(parse_list(list, now).has_value());
        check(gate->look_at_others(now) == 0);
        gate->flush();
    }

    void everything_comes_back() {
        for (unsigned i = 0; i < slots_; ++i) {
            Claim claim = make_claim(kPool, 1h, Clock::now());
            claim.slots = slots_;
            FileTurn turn(place_, claim, Clock::now());
            auto said = turn.look(Clock::now());
            check(said.has_value());
            if (!*said) return check(i == 0 && is_refused(said->error()));
            take(std::move(**said));
        }
    }

    std::span<const std::uint8_t> bytes_;
    const Place& place_;
    std::string file_;
    unsigned slots_;
    unsigned most_slots_ = slots_;
    std::list<FileTurn> turns_;
    std::list<Slot> slots_held_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Folder folder;
    folder.empty();
    Script(std::span(data, size), folder.place).play();
    return 0;
}
