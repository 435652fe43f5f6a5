// Fills a Rows, or the one row of a stream: cells and the characters that they point to.
#pragma once

#include <tidegate/rows.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate::client {

class RowsBuilder {
public:
    void add_column(std::string name) { rows_.columns_.push_back({std::move(name)}); }
    // Cells come row by row, in the order of the columns.
    void add(Value value) { rows_.values_.push_back(value); }
    // A place for so many characters, good for as long as the Rows lives.
    [[nodiscard]] char* room(std::size_t size);
    [[nodiscard]] std::string_view keep(std::string_view text);

    void set_effect(std::uint64_t affected, std::uint64_t last_insert_id, unsigned warnings) {
        rows_.affected_rows_ = affected;
        rows_.last_insert_id_ = last_insert_id;
        rows_.warnings_ = warnings;
    }

    [[nodiscard]] std::span<const Column> columns() const { return rows_.columns_; }
    // For a stream: one row after the other in the same storage. What take_row() gave lives until the next begin_row().
    void begin_row();
    void take_row(std::vector<Value>& row) { row.swap(rows_.values_); }
    [[nodiscard]] Rows take() { return std::move(rows_); }

private:
    Rows rows_;
    std::size_t left_ = 0;  // in the last chunk
    std::size_t chunk_ = 0;
};

}  // namespace tidegate::client
