// For the scanner's tests only: every statement that is tested is also fed in pieces, cut at every place, and must give
// the same facts.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "sql/scanner.h"

namespace tidegate::sql {

inline constexpr Mode kMariadb{};
inline constexpr Mode kMysql{.dialect = Dialect::mysql};
inline constexpr Mode kMulti{.multi_statements = true};

inline std::string pin_names(Pins pins) {
    std::string names;
    for (int i = 0; i < kPinCount; ++i) {
        if (pins.has(static_cast<Pin>(i))) {
            names += (names.empty() ? "" : " ") + std::string(name(static_cast<Pin>(i)));
        }
    }
    return names;
}

inline void PrintTo(const Facts& facts, std::ostream* out) {
    *out << name(facts.kind) << " statements=" << facts.statements << " pins=[" << pin_names(facts.pins)
         << "] asks=" << facts.asks.bits() << " plain=" << facts.plain_read << " carried=" << facts.set_only_carried
         << " unreported=" << facts.set_unreported << " names=" << int{facts.set_count}
         << " bare=" << static_cast<int>(facts.bare) << " column=" << facts.column.offset << "+" << facts.column.length
         << " generation=" << facts.new_generation;
}

inline Facts scan_cut(std::string_view text, Mode mode, std::size_t at) {
    Scanner scanner(mode);
    scanner.feed(std::span(text.data(), at));
    scanner.feed(std::span(text.data() + at, text.size() - at));
    return scanner.finish();
}

inline Facts scan_bytes(std::string_view text, Mode mode) {
    Scanner scanner(mode);
    for (const char& c : text) {
        scanner.feed(std::span(&c, 1));
    }
    return scanner.finish();
}

// The facts of the text, however it is cut.
inline Facts scan_all_ways(std::string_view text, Mode mode = kMariadb) {
    const Facts whole = scan(text, mode);
    EXPECT_EQ(scan_bytes(text, mode), whole) << "byte by byte: " << text;
    for (std::size_t at = 0; at <= text.size(); ++at) {
        const Facts cut = scan_cut(text, mode, at);
        EXPECT_EQ(cut, whole) << "cut at " << at << ": " << text;
        if (cut != whole) {
            break;
        }
    }
    return whole;
}

}  // namespace tidegate::sql
