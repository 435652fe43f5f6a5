// What is typed at the administrator's console: whatever it is, it is a statement or an error of a few numbers; blanks,
// comments and a semicolon around it make no difference; and a pattern fits the text that it was made of.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/console/statement.h"

namespace {

using namespace tidegate::api::console;

void check(bool held) {
    if (!held) std::abort();
}

bool same(const Statement& a, const Statement& b) {
    return a.what == b.what && a.name == b.name && a.like == b.like && a.id == b.id && a.query_only == b.query_only &&
           a.items.size() == b.items.size();
}

void parses(std::string_view text) {
    const auto statement = parse(text);
    if (!statement) {
        constexpr std::array<std::uint16_t, 3> kErrors{1064, 1065, 1235};
        check(std::ranges::find(kErrors, statement.error().code) != kErrors.end());
        check(statement.error().message.size() < 300);
        return;
    }
    check(statement->what != Statement::What::select || !statement->items.empty());
    check(statement->what != Statement::What::show || !statement->name.empty());
    const auto wrapped = parse(" \n/* x */-- y\n" + std::string(text));
    check(wrapped && same(*statement, *wrapped));
}

void is_liked(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') escaped += '\\';
        escaped += c;
    }
    check(is_like(text, escaped) && is_like(text, "%") && is_like(text, std::string(text.size(), '_')));
    check(is_like(text, '%' + escaped) && is_like(text, escaped + '%') && !is_like(text, escaped + '_'));
    (void)is_like(escaped, text);  // whatever it is as a pattern, it comes to an end
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kMost = 512;
    const std::string_view text(reinterpret_cast<const char*>(data), std::min(size, kMost));
    parses(text);
    is_liked(text);
    return 0;
}
