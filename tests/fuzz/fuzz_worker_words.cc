// What a worker sends to its notify socket and prints, which is anything: a notice is the sum of its lines, its status
// may be shown on a terminal; lines are the same however the bytes arrive, and none grows without end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/line_cutter.h"
#include "fleet/notice.h"

namespace {

using namespace tidegate::fleet;

void check(bool held) {
    if (!held) std::abort();
}

void say(std::string_view text) {
    const Notice all = parse_notice(text);
    Notice sum;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        Notice one = parse_notice(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        sum.ready |= one.ready;
        sum.jobs_done += one.jobs_done;
        sum.jobs_failed += one.jobs_failed;
        if (one.has_status) sum.status = one.status;
        sum.has_status |= one.has_status;
    }
    check(all.ready == sum.ready && all.jobs_done == sum.jobs_done && all.jobs_failed == sum.jobs_failed);
    check(all.has_status == sum.has_status && all.status == sum.status && all.status.size() <= 200);
    check(std::ranges::none_of(all.status, [](char c) { return static_cast<unsigned char>(c) < ' '; }));
}

struct Cut {
    std::vector<std::string> lines;
    std::size_t longest_piece = 0;
};

// In pieces whose lengths `sizes` tells.
Cut cut(std::string_view text, std::span<const std::uint8_t> sizes, LineCutter cutter) {
    Cut cut;
    const auto take = [&](std::string_view line) { cut.lines.emplace_back(line); };
    for (std::size_t i = 0; !text.empty(); ++i) {
        const std::size_t size =
            sizes.empty() ? text.size() : std::min<std::size_t>(1 + sizes[i % sizes.size()], text.size());
        cut.longest_piece = std::max(cut.longest_piece, size);
        cutter.add(text.substr(0, size), take);
        text.remove_prefix(size);
    }
    cutter.end(take);
    return cut;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line;
    return text;
}

void print(std::string_view text, std::span<const std::uint8_t> sizes) {
    std::vector<std::string> lines;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        lines.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    check(cut(text, sizes, LineCutter(text.size() + 1)).lines == lines);
    constexpr std::size_t kShort = 8;
    const Cut pieces = cut(text, sizes, LineCutter(kShort));
    check(joined(pieces.lines) == joined(lines));
    for (const auto& line : pieces.lines) check(line.size() < kShort + pieces.longest_piece);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    say(text);
    print(text, {});
    print(text, std::span(data, size).first(std::min<std::size_t>(size, 8)));
    return 0;
}
