// Any bytes, in any mode, cut anywhere: the scanner neither crashes nor changes its mind. The first four bytes choose
// the mode and the cuts, the rest is the statement.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "sql/call_names.h"
#include "sql/digest.h"
#include "sql/routine_scan.h"
#include "sql/scanner.h"

namespace {

using tidegate::sql::Facts;
using tidegate::sql::Mode;
using tidegate::sql::Scanner;

void require(bool holds) {
    if (!holds) std::abort();
}

bool within(const tidegate::sql::TextSpan& span, std::string_view text) {
    return span.offset <= text.size() && span.length <= text.size() - span.offset;
}

void check(const Facts& facts, std::string_view text) {
    require(!facts.plain_read || (facts.statements == 1 && facts.pins.none() && facts.asks.none()));
    require(!facts.set_only_carried || (facts.statements == 1 && facts.pins.none()));
    require((facts.kind == tidegate::sql::Kind::empty) == (facts.statements == 0));
    require(within(facts.column, text) && within(facts.collation, text));
    require(facts.set_count <= facts.set_names.size());
    for (const auto& name : facts.set_names) {
        require(within(name, text));
    }
}

// What an operator sees of it: short, one line, and nothing that was quoted.
void check_digest(std::string_view shown, std::string_view text) {
    require(shown.size() <= tidegate::sql::kDigestBytes);
    require(std::ranges::none_of(shown, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }));
    require(text.find('`') != std::string_view::npos || shown.find_first_of("'\"") == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const Mode mode{.dialect = (data[0] & 1) != 0 ? tidegate::sql::Dialect::mysql : tidegate::sql::Dialect::mariadb,
                    .ansi_quotes = (data[0] & 2) != 0,
                    .no_backslash_escapes = (data[0] & 4) != 0,
                    .ignore_space = (data[0] & 8) != 0,
                    .multi_statements = (data[0] & 16) != 0,
                    .unsafe_multibyte = (data[0] & 32) != 0};
    const std::string_view text(reinterpret_cast<const char*>(data + 4), size - 4);
    const Facts whole = tidegate::sql::scan(text, mode);
    check(whole, text);

    const tidegate::sql::CalledNames called(text, whole, mode);
    for (const auto& each : called.all()) require(!called.sure() || !each.name.empty());
    require(!called.sure() || (whole.pins.any() && whole.statements == 1));
    (void)tidegate::sql::scan_routine(text, static_cast<tidegate::sql::Program>(data[3] % 4), mode, {});

    // In two pieces, in pieces of one size, and byte by byte.
    const std::size_t cut = (data[1] | static_cast<std::size_t>(data[2]) << 8U) % (text.size() + 1);
    Scanner two(mode);
    two.feed(std::span(text.data(), cut));
    two.feed(std::span(text.data() + cut, text.size() - cut));
    require(two.finish() == whole);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1} + data[3]}) {
        Scanner many(mode);
        for (std::size_t at = 0; at < text.size(); at += piece) {
            many.feed(std::span(text).subspan(at, std::min(piece, text.size() - at)));
        }
        require(many.finish() == whole);
    }
    check_digest(tidegate::sql::digest(text, mode), text);
    check_digest(tidegate::sql::digest(text.substr(0, cut), mode, true), text.substr(0, cut));
    return 0;
}
