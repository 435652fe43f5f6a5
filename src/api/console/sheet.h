// A table of the console in the making: cells are added one by one, in the order of the columns.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "protocol/text_table.h"
#include "watch/printable.h"

namespace tidegate::api::console {

class Sheet {
public:
    static constexpr auto kNumber = protocol::TextTable::Type::integer;
    static constexpr auto kSeconds = protocol::TextTable::Type::decimal;

    Sheet(std::initializer_list<protocol::TextTable::Column> columns) { table_.columns = columns; }

    Sheet& row() {
        table_.rows.emplace_back();
        table_.rows.back().reserve(table_.columns.size());
        return *this;
    }
    // What others have named or written may be anything: it is made fit for a terminal and for a client's UTF-8.
    Sheet& add(std::string_view text) { return put(watch::printable(text)); }
    Sheet& add(const char* text) { return add(std::string_view(text)); }
    Sheet& add(bool value) { return put(value ? "yes" : "no"); }
    Sheet& add(Duration time) { return put(fmt::format("{:.3f}", seconds(time))); }
    template <std::integral Number>
    Sheet& add(Number number) {
        return put(std::to_string(number));
    }
    template <class T>
    Sheet& add(const std::optional<T>& value) {
        return value ? add(*value) : put(std::nullopt);
    }
    // Nothing to say: NULL.
    Sheet& text_or_null(std::string_view text) { return text.empty() ? put(std::nullopt) : add(text); }
    template <std::integral Number>
    Sheet& number_or_null(Number number) {
        return number == 0 ? put(std::nullopt) : add(number);
    }

    [[nodiscard]] protocol::TextTable take() { return std::move(table_); }

private:
    Sheet& put(std::optional<std::string> cell) {
        table_.rows.back().push_back(std::move(cell));
        return *this;
    }

    protocol::TextTable table_;
};

}  // namespace tidegate::api::console
