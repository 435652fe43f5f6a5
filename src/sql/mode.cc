#include "sql/mode.h"

#include <algorithm>
#include <array>

namespace tidegate::sql {

bool unsafe_charset(std::string_view name) {
    // gb2312, euckr and ujis have second bytes that are letters at most; utf8 has none below 0x80.
    static constexpr std::array<std::string_view, 5> kUnsafe = {"gbk", "sjis", "cp932", "big5", "gb18030"};
    const auto same = [name](std::string_view other) {
        return std::ranges::equal(name, other, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
    };
    return std::ranges::any_of(kUnsafe, same);
}

}  // namespace tidegate::sql
