// Results: Rows, read whole into memory, and Row, one of them. (RowStream, for results that are too large for that, is
// in stream.h.)
//
//     auto people = lease.query("SELECT id, name, born FROM person");
//     if (!people) return std::unexpected(people.error());
//     for (const tidegate::Row row : *people) {
//         auto person = row.as<std::uint64_t, std::string, std::optional<int>>();   // by position, all columns at once
//         auto name = row.get<std::string_view>("name");                            // by name
//     }
//
// Which C++ type reads which column is in value.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <tidegate/error.h>
#include <tidegate/value.h>

namespace tidegate {

namespace client {
class RowsBuilder;
}

struct Column {
    std::string name;  // the alias, where the statement gives one
};

// One row. A view: it and the string_views that it gives live as long as the Rows it is from, or until the RowStream it
// is from goes on. Cheap to copy. Thread-safe: it is only read.
class Row {
public:
    Row(std::span<const Column> columns, std::span<const Value> values) : columns_(columns), values_(values) {}

    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] std::span<const Column> columns() const { return columns_; }

    // The cell as it is. REQUIRES: position < size().
    [[nodiscard]] const Value& operator[](std::size_t position) const { return values_[position]; }

    // The cell at a position (from 0), or under a name, as a T. Errors: 1054 there is no such column, 1048 it is NULL
    // and T is no optional, 1366 it does not fit a T. Names are compared as they are written, upper and lower case
    // alike (ASCII); of several columns with one name the first is meant.
    template <class T>
    [[nodiscard]] Result<T> get(std::size_t position) const {
        if (position >= size()) return std::unexpected(no_column(position));
        return read_value<T>(values_[position], columns_[position].name);
    }
    template <class T>
    [[nodiscard]] Result<T> get(std::string_view name) const {
        const std::size_t position = find(name);
        if (position >= size()) return std::unexpected(no_column(name));
        return read_value<T>(values_[position], columns_[position].name);
    }

    // The first sizeof...(T) cells; the first that does not fit is the error.
    template <class... T>
    [[nodiscard]] Result<std::tuple<T...>> as() const {
        return read_all<T...>(std::index_sequence_for<T...>());
    }

    // Where the column of that name is; size() when there is none.
    [[nodiscard]] std::size_t find(std::string_view name) const;

private:
    [[nodiscard]] Error no_column(std::size_t position) const;
    [[nodiscard]] Error no_column(std::string_view name) const;

    template <class... T, std::size_t... I>
    [[nodiscard]] Result<std::tuple<T...>> read_all(std::index_sequence<I...>) const {
        std::tuple<Result<T>...> cells{get<T>(I)...};
        const Error* error = nullptr;
        ((error == nullptr && !std::get<I>(cells) ? error = &std::get<I>(cells).error() : nullptr), ...);
        if (error != nullptr) return std::unexpected(*error);
        return std::tuple<T...>(std::move(*std::get<I>(cells))...);
    }

    std::span<const Column> columns_;
    std::span<const Value> values_;
};

// A whole result, in memory, with no tie to the connection that it came from. Moves, does not copy. Thread-safe as long
// as it is only read.
class Rows {
public:
    class Iterator {
    public:
        using value_type = Row;
        using difference_type = std::ptrdiff_t;
        Iterator() = default;
        Iterator(const Rows* rows, std::size_t at) : rows_(rows), at_(at) {}
        Row operator*() const { return (*rows_)[at_]; }
        Iterator& operator++() {
            ++at_;
            return *this;
        }
        Iterator operator++(int) {
            Iterator was = *this;
            ++at_;
            return was;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

    private:
        const Rows* rows_ = nullptr;
        std::size_t at_ = 0;
    };

    // No rows and no columns: what a statement without a result set gives.
    Rows() = default;
    Rows(Rows&&) noexcept = default;
    Rows& operator=(Rows&&) noexcept = default;
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    ~Rows() = default;

    [[nodiscard]] std::size_t size() const { return columns_.empty() ? 0 : values_.size() / columns_.size(); }
    [[nodiscard]] bool empty() const { return values_.empty(); }
    [[nodiscard]] std::span<const Column> columns() const { return columns_; }
    // REQUIRES: index < size().
    [[nodiscard]] Row operator[](std::size_t index) const {
        return {columns_, std::span(values_).subspan(index * columns_.size(), columns_.size())};
    }
    // REQUIRES: !empty().
    [[nodiscard]] Row front() const { return (*this)[0]; }
    [[nodiscard]] Iterator begin() const { return {this, 0}; }
    [[nodiscard]] Iterator end() const { return {this, size()}; }

    // What the server said beside the rows. Rows changed (by INSERT, UPDATE, DELETE; an UPDATE to the same value
    // changes nothing); the first AUTO_INCREMENT id that was made, 0 for none; warnings, to be read with SHOW WARNINGS.
    [[nodiscard]] std::uint64_t affected_rows() const { return affected_rows_; }
    [[nodiscard]] std::uint64_t last_insert_id() const { return last_insert_id_; }
    [[nodiscard]] unsigned warnings() const { return warnings_; }

private:
    friend class client::RowsBuilder;

    std::vector<Column> columns_;
    std::vector<Value> values_;                     // row by row
    std::vector<std::unique_ptr<char[]>> storage_;  // the characters that the values point to
    std::uint64_t affected_rows_ = 0;
    std::uint64_t last_insert_id_ = 0;
    unsigned warnings_ = 0;
};

}  // namespace tidegate
