// Any bytes as the journal of a run over jobs: it is refused with a sentence, or what it says is what is in its lines.
// One that is good is good up to any of its bytes, for the machine may have ended there, and tells of a job that is
// added to it.
#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fleet/journal.h"

namespace {

using namespace tidegate::fleet;
using Verdict = Journal::Verdict;

void check(bool held) {
    if (!held) std::abort();
}

void add(std::string text, JobNumber number, int code) {
    constexpr std::string_view kLine = "send 17";
    text += fmt::format("{} {} {:x}\n", number, code, fingerprint(kLine));
    const auto journal = Journal::parse(text);
    check(journal && journal->whole() == text.size());
    check(journal->look_up(number, kLine) == (code == 0 ? Verdict::finished : Verdict::new_job));
    check(journal->look_up(number, "send 18") == Verdict::other_text);
    check(code != 0 || journal->finished() > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint8_t chance = data[0];
    std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (chance % 2 == 0) text.insert(0, kJournalHead);
    const auto journal = Journal::parse(text);
    if (!journal) {
        check(!journal.error().message.empty());
        return 0;
    }
    check(journal->whole() <= text.size());
    const auto cut = Journal::parse(std::string_view(text).substr(0, text.size() * chance / 256));
    check(cut && cut->whole() <= journal->whole());
    const std::string whole = text.substr(0, journal->whole());
    const auto again = Journal::parse(whole);
    check(again && again->whole() == whole.size() && again->finished() == journal->finished());
    if (!whole.empty()) add(whole, chance % 5, chance % 3);
    return 0;
}
