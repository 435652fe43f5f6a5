// Cells as C++ types: exactly, or not at all.
#include <tidegate/value.h>

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

namespace tidegate::detail {
namespace {

template <class T>
bool parse(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Takes so many digits off the front.
bool take_digits(std::string_view& text, std::size_t count, unsigned& out) {
    if (text.size() < count || !parse(text.substr(0, count), out)) return false;
    text.remove_prefix(count);
    return true;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

// YYYY-MM-DD
bool take_date(std::string_view& text, std::chrono::year_month_day& out) {
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
        !take_digits(text, 2, day)) {
        return false;
    }
    out = {std::chrono::year(static_cast<int>(year)), std::chrono::month(month), std::chrono::day(day)};
    return out.ok();
}

// H..H:MM:SS[.ffffff]
bool take_clock(std::string_view& text, std::chrono::microseconds& out) {
    unsigned hours = 0;
    unsigned minutes = 0;
    unsigned seconds = 0;
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !take_digits(text, colon, hours) || !take(text, ':') ||
        !take_digits(text, 2, minutes) || !take(text, ':') || !take_digits(text, 2, seconds)) {
        return false;
    }
    out = std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
    if (!take(text, '.')) return true;
    unsigned fraction = 0;
    const auto digits = std::min<std::size_t>(text.size(), 6);
    if (!take_digits(text, digits, fraction)) return false;
    for (auto i = digits; i < 6; ++i) fraction *= 10;
    out += std::chrono::microseconds(fraction);
    return true;
}

const std::string_view* text_in(const Value& value) {
    return std::get_if<std::string_view>(&value);
}

struct Text {
    std::string operator()(std::monostate) const { return "NULL"; }
    std::string operator()(std::string_view text) const { return std::string(text); }
    template <class Number>
    std::string operator()(Number number) const {
        return fmt::format("{}", number);
    }
};

std::string text_of(const Value& value) {
    return std::visit(Text(), value);
}

// Between the two 64-bit integers and from text.
template <class T>
bool read_integer(const Value& value, T& out) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        out = static_cast<T>(*number);
        return std::in_range<T>(*number);
    }
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
        out = static_cast<T>(*number);
        return std::in_range<T>(*number);
    }
    const auto* text = text_in(value);
    return text != nullptr && parse(*text, out);
}

}  // namespace

bool read(const Value& value, std::int64_t& out) {
    return read_integer(value, out);
}

bool read(const Value& value, std::uint64_t& out) {
    return read_integer(value, out);
}

bool read(const Value& value, bool& out) {
    std::int64_t number = 0;
    if (text_in(value) != nullptr || !read(value, number)) return false;
    out = number != 0;
    return true;
}

bool read(const Value& value, double& out) {
    if (const auto* text = text_in(value)) return parse(*text, out);
    if (const auto* real = std::get_if<double>(&value)) {
        out = *real;
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
        out = static_cast<double>(*number);
    } else if (const auto* positive = std::get_if<std::uint64_t>(&value)) {
        out = static_cast<double>(*positive);
    }
    return true;
}

bool read(const Value& value, std::string& out) {
    out = text_of(value);
    return true;
}

bool read(const Value& value, std::string_view& out) {
    const auto* text = text_in(value);
    if (text != nullptr) out = *text;
    return text != nullptr;
}

bool read(const Value& value, std::vector<std::byte>& out) {
    const auto* text = text_in(value);
    if (text == nullptr) return false;
    const auto bytes = std::as_bytes(std::span(text->data(), text->size()));
    out.assign(bytes.begin(), bytes.end());
    return true;
}

bool read(const Value& value, std::chrono::year_month_day& out) {
    const auto* text = text_in(value);
    if (text == nullptr) return false;
    auto rest = *text;
    return take_date(rest, out) && (rest.empty() || rest.starts_with(' '));
}

bool read(const Value& value, Timestamp& out) {
    const auto* text = text_in(value);
    if (text == nullptr) return false;
    auto rest = *text;
    std::chrono::year_month_day date;
    std::chrono::microseconds clock{};
    if (!take_date(rest, date)) return false;
    if (!rest.empty() && (!take(rest, ' ') || !take_clock(rest, clock) || !rest.empty())) return false;
    out = std::chrono::sys_days(date) + clock;
    return true;
}

bool read(const Value& value, std::chrono::microseconds& out) {
    const auto* text = text_in(value);
    if (text == nullptr) return false;
    auto rest = *text;
    const bool negative = take(rest, '-');
    if (!take_clock(rest, out) || !rest.empty()) return false;
    if (negative) out = -out;
    return true;
}

Error null_error(std::string_view column) {
    return {error_code::is_null, "22002",
            fmt::format("column `{}` is NULL; read it as a std::optional to allow that", column)};
}

Error value_error(const Value& value, std::string_view column) {
    auto text = text_of(value);
    if (text.size() > 40) text = text.substr(0, 40) + "..";
    return {error_code::bad_value, "22018",
            fmt::format("column `{}` holds '{}', which does not fit the type that was asked for", column, text)};
}

}  // namespace tidegate::detail
