#include "fleet/journal.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace tidegate::fleet {
namespace {

template <class T>
bool take_number(std::string_view& text, T& to, int base, char end) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), to, base);
    if (error != std::errc() || stop == text.data()) return false;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (text.empty() || text.front() != end) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::uint64_t fingerprint(std::string_view line) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : line) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}

int shell_code(Exit exit) {
    return exit.signal != 0 ? 128 + exit.signal : exit.code;
}

Result<Journal> Journal::parse(std::string_view text) {
    Journal journal;
    if (text.size() < kJournalHead.size() && kJournalHead.starts_with(text)) return journal;  // empty, or cut off
    if (!text.starts_with(kJournalHead)) {
        return fail("it is not a journal of tidegate: its first line is not \"tidegate-journal 1\"; name another file");
    }
    journal.whole_ = kJournalHead.size();
    for (std::size_t line = 2; journal.whole_ < text.size(); ++line) {
        const auto end = text.find('\n', journal.whole_);
        if (end == std::string_view::npos) break;
        auto rest = text.substr(journal.whole_, end + 1 - journal.whole_);
        JobNumber number = 0;
        Entry entry{};
        if (!take_number(rest, number, 10, ' ') || !take_number(rest, entry.code, 10, ' ') ||
            !take_number(rest, entry.fingerprint, 16, '\n') || !rest.empty()) {
            return fail(fmt::format("its line {} is not one that tidegate wrote; mend it or name another file", line));
        }
        journal.entries_[number] = entry;
        journal.whole_ = end + 1;
    }
    return journal;
}

Journal::Verdict Journal::look_up(JobNumber number, std::string_view line) const {
    const auto at = entries_.find(number);
    if (at == entries_.end()) return Verdict::new_job;
    if (at->second.fingerprint != fingerprint(line)) return Verdict::other_text;
    return at->second.code == 0 ? Verdict::finished : Verdict::new_job;
}

std::uint64_t Journal::finished() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(entries_, [](const auto& each) { return each.second.code == 0; }));
}

}  // namespace tidegate::fleet
