#include "session/user_variables.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::session {
namespace {

// The protocol's numbers of column types, as both servers document them.
constexpr std::uint8_t kDouble = 0x05;
constexpr std::uint8_t kLongLong = 0x08;
constexpr std::uint8_t kDecimal = 0xF6;
constexpr std::uint8_t kLongBlob = 0xFB;
constexpr std::uint8_t kBlob = 0xFC;
constexpr std::uint8_t kVarString = 0xFD;
constexpr std::uint8_t kString = 0xFE;
constexpr std::uint8_t kMediumBlob = 0xFA;
constexpr std::uint8_t kTinyBlob = 0xF9;

// The columns of each name.
enum Column : std::size_t { kItself, kCollation, kHex, kText, kTooLong };

// A variable that was never set has no type: MariaDB gives its column a length that no MEDIUMBLOB has, MySQL makes it a
// short text. (After SET @x = NULL it is a MEDIUMBLOB.)
bool was_never_set(const AnswerColumn& column) {
    constexpr std::uint32_t kBeyondMediumBlob = 16'777'216;
    return column.type == kVarString || (column.type == kLongBlob && column.length == kBeyondMediumBlob);
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

std::string as_integer(std::string_view text, bool is_unsigned) {
    if (is_unsigned) return "CAST(" + std::string(text) + " AS UNSIGNED)";
    if (text == "-9223372036854775808") return "-9223372036854775807-1";
    return std::string(text);
}

std::string as_decimal(std::string_view text) {
    return std::string(text) + (text.contains('.') ? "" : ".");
}

std::string as_double(std::string_view text) {
    return std::string(text) + (text.find_first_of("eE") == std::string_view::npos ? "e0" : "");
}

// What has to stand behind `@x =`. Nothing: it cannot be written.
std::optional<std::string> expression(std::string_view name, std::span<const AnswerColumn> of) {
    const AnswerColumn& column = of[kItself];
    const bool null = !column.value;
    std::string_view text = null ? "0" : of[kText].value.value_or("");
    std::string made;
    switch (column.type) {
        case kLongLong:
            if (!is_number(text)) return std::nullopt;
            made = as_integer(text, column.is_unsigned);
            break;
        case kDecimal:
            if (!is_number(text)) return std::nullopt;
            made = as_decimal(text);
            break;
        case kDouble:
            if (!is_number(text)) return std::nullopt;
            made = as_double(text);
            break;
        case kTinyBlob:
        case kBlob:
        case kMediumBlob:
        case kLongBlob:
        case kVarString:
        case kString: {
            const std::string_view collation = of[kCollation].value.value_or("");
            const std::string_view hex = null ? "" : of[kHex].value.value_or("");
            const bool plain = std::ranges::all_of(
                collation, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
            if (collation.empty() || !plain || hex.find_first_not_of("0123456789ABCDEF") != std::string_view::npos)
                return std::nullopt;
            made.append(1, '_').append(collation.substr(0, collation.find('_'))).append(" X'").append(hex).append("'");
            if (collation != "binary") made.append(" COLLATE ").append(collation);  // which is a word of the grammar
            break;
        }
        default:
            return std::nullopt;
    }
    // A variable that is set to NULL keeps the type that it had.
    if (null) made.append(",@`").append(name).append("`=NULL");
    return made;
}

}  // namespace

std::string user_variables_question(std::span<const std::string> names) {
    std::string text;
    for (const std::string& name : names) {
        // In the order of Column.
        text += fmt::format(
            "{0} IF(LENGTH(@`{1}`)>{2},NULL,@`{1}`),COLLATION(@`{1}`),IF(LENGTH(@`{1}`)>{2},NULL,HEX(@`{1}`)),"
            "IF(LENGTH(@`{1}`)>{2},NULL,CAST(@`{1}` AS CHAR)),LENGTH(@`{1}`)>{2}",
            text.empty() ? "SELECT" : ",", name, kLongestUserVariable);
    }
    return text + " LIMIT 1";  // whatever sql_select_limit says
}

std::optional<std::vector<Variable>> user_variables_from(std::span<const std::string> names,
                                                         std::span<const AnswerColumn> answer) {
    if (answer.size() != names.size() * kUserVariableColumns) return std::nullopt;
    std::vector<Variable> found;
    for (const std::string& name : names) {
        const auto of = answer.first(kUserVariableColumns);
        answer = answer.subspan(kUserVariableColumns);
        if (of[kTooLong].value == "1") return std::nullopt;
        if (!of[kItself].value && was_never_set(of[kItself])) continue;
        auto value = expression(name, of);
        if (!value) return std::nullopt;
        found.push_back({'@' + name, std::move(*value)});
    }
    return found;
}

bool has_other_user_variables(const State& from, const State& to) {
    // They are in front: no name of a system variable begins below an @.
    auto have = to.variables.begin();
    for (const Variable& each : from.variables) {
        if (!is_user_variable(each.name)) break;
        have = std::ranges::lower_bound(have, to.variables.end(), each.name, {}, &Variable::name);
        if (have == to.variables.end() || have->name != each.name) return true;
    }
    return false;
}

}  // namespace tidegate::session
