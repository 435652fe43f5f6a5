// Command lines of other programs, which may be anything: what is shown of one is short, fit for a terminal and for
// JSON, and has no password, wherever in it one is put.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "watch/command_line.h"
#include "watch/printable.h"

namespace {

using namespace tidegate::watch;
using Words = std::vector<std::string>;

constexpr std::string_view kSecret = "s3cret~W0rt";

void check(bool held) {
    if (!held) std::abort();
}

Words words_of(std::string_view text) {
    Words words;
    while (!text.empty()) {
        const auto end = std::min(text.find('\0'), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

void check_shown(const CommandLine& line) {
    check(line.name.size() <= kNameKept);
    for (const auto* text : {&line.name, &line.script, &line.text}) {
        check(text->size() <= kCommandKept);
        check(printable(*text) == *text);
    }
}

// With a password at one place among the words.
void check_hidden(Words words, std::size_t at, const Words& with_secret) {
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), with_secret.begin(), with_secret.end());
    const auto line = read_command_line(std::move(words), "task");
    check_shown(line);
    for (const auto* text : {&line.name, &line.script, &line.text}) check(!text->contains(kSecret));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string secret(kSecret);
    const std::string_view given(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Words words = words_of(given);
    check_shown(read_command_line(words, "task"));
    if (given.contains("cret") || given.contains("W0")) return 0;  // of its own accord
    const std::size_t at = data[0] % (words.size() + 1);
    for (const auto& with_secret :
         {Words{"--password=" + secret}, Words{"--password", secret}, Words{"mysql://app:" + secret + "@db/shop"},
          Words{"mysql", "-p" + secret}, Words{"php", "-r", "connect('app', '" + secret + "');"},
          Words{"sh", "-c", "mysql -p" + secret + " shop"}}) {
        check_hidden(words, at, with_secret);
    }
    return 0;
}
