#include "client/mysql_result.h"

#include <fmt/core.h>

#include <charconv>
#include <span>
#include <string_view>

namespace tidegate::client {
namespace {

enum class Shape : std::uint8_t { signed_integer, unsigned_integer, real, bits, date, date_time, time, text };

Shape shape_of(const MYSQL_FIELD& field) {
    switch (field.type) {
        case MYSQL_TYPE_TINY:
        case MYSQL_TYPE_SHORT:
        case MYSQL_TYPE_INT24:
        case MYSQL_TYPE_LONG:
        case MYSQL_TYPE_LONGLONG:
            return (field.flags & UNSIGNED_FLAG) != 0 ? Shape::unsigned_integer : Shape::signed_integer;
        case MYSQL_TYPE_YEAR:
            return Shape::signed_integer;
        case MYSQL_TYPE_FLOAT:
        case MYSQL_TYPE_DOUBLE:
            return Shape::real;
        case MYSQL_TYPE_BIT:
            return Shape::bits;
        case MYSQL_TYPE_DATE:
        case MYSQL_TYPE_NEWDATE:
            return Shape::date;
        case MYSQL_TYPE_DATETIME:
        case MYSQL_TYPE_TIMESTAMP:
            return Shape::date_time;
        case MYSQL_TYPE_TIME:
            return Shape::time;
        default:
            return Shape::text;
    }
}

template <class T>
T number_in(std::string_view text) {
    T number{};
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// Big-endian, as BIT columns come.
std::uint64_t bits_in(std::string_view bytes) {
    std::uint64_t bits = 0;
    for (const char byte : bytes) bits = bits << 8U | static_cast<unsigned char>(byte);
    return bits;
}

Value cell_of(const MYSQL_FIELD& field, std::string_view text, RowsBuilder& into) {
    switch (shape_of(field)) {
        case Shape::signed_integer:
            return number_in<std::int64_t>(text);
        case Shape::unsigned_integer:
            return number_in<std::uint64_t>(text);
        case Shape::real:
            return number_in<double>(text);
        case Shape::bits:
            return bits_in(text);
        default:
            return into.keep(text);
    }
}

void add_columns_of(MYSQL_RES* result, RowsBuilder& into) {
    for (const auto& field : std::span(mysql_fetch_fields(result), mysql_num_fields(result))) {
        into.add_column(std::string(field.name, field.name_length));
    }
}

}  // namespace

Error error_of(MYSQL* mysql) {
    return {static_cast<std::uint16_t>(mysql_errno(mysql)), mysql_sqlstate(mysql), mysql_error(mysql)};
}

Error error_of(MYSQL_STMT* statement) {
    return {static_cast<std::uint16_t>(mysql_stmt_errno(statement)), mysql_stmt_sqlstate(statement),
            mysql_stmt_error(statement)};
}

std::string text_of(const MYSQL_TIME& time, unsigned decimals) {
    std::string text = time.neg ? "-" : "";
    if (time.time_type != MYSQL_TIMESTAMP_TIME)
        text += fmt::format("{:04}-{:02}-{:02}", time.year, time.month, time.day);
    if (time.time_type == MYSQL_TIMESTAMP_DATE) return text;
    if (time.time_type != MYSQL_TIMESTAMP_TIME) text += ' ';
    text += fmt::format("{:02}:{:02}:{:02}", time.hour + (time.time_type == MYSQL_TIMESTAMP_TIME ? 24 * time.day : 0),
                        time.minute, time.second);
    if (decimals > 6) decimals = time.second_part != 0 ? 6 : 0;
    if (decimals > 0) text += '.' + fmt::format("{:06}", time.second_part).substr(0, decimals);
    return text;
}

// The text protocol.

Result<std::unique_ptr<ResultReader>> TextReader::start(MYSQL* mysql) {
    MYSQL_RES* result = mysql_use_result(mysql);
    if (result == nullptr) return std::unexpected(error_of(mysql));
    return std::make_unique<TextReader>(mysql, result);
}

TextReader::~TextReader() {
    mysql_free_result(result_);
}

void TextReader::add_columns(RowsBuilder& into) const {
    add_columns_of(result_, into);
}

Result<bool> TextReader::next(RowsBuilder& into) {
    MYSQL_ROW row = mysql_fetch_row(result_);
    if (row == nullptr) {
        if (mysql_errno(mysql_) != 0) return std::unexpected(error_of(mysql_));
        return false;
    }
    const unsigned columns = mysql_num_fields(result_);
    const auto* fields = mysql_fetch_fields(result_);
    const unsigned long* lengths = mysql_fetch_lengths(result_);
    for (unsigned i = 0; i < columns; ++i) {
        into.add(row[i] == nullptr ? Value() : cell_of(fields[i], {row[i], lengths[i]}, into));
    }
    return true;
}

Result<void> TextReader::finish() {
    while (mysql_more_results(mysql_)) {
        if (mysql_next_result(mysql_) > 0) return std::unexpected(error_of(mysql_));
        if (MYSQL_RES* other = mysql_use_result(mysql_); other != nullptr) mysql_free_result(other);
    }
    return {};
}

// The binary protocol. Text of any length is bound with no room at all: the fetch gives its length, and it is then
// copied to where it stays.

Result<std::unique_ptr<ResultReader>> BinaryReader::start(MYSQL_STMT* statement) {
    MYSQL_RES* metadata = mysql_stmt_result_metadata(statement);
    if (metadata == nullptr) return std::unexpected(error_of(statement));
    auto reader = std::make_unique<BinaryReader>(statement, metadata);
    if (mysql_stmt_bind_result(statement, reader->binds_.data()) != 0) return std::unexpected(error_of(statement));
    return reader;
}

BinaryReader::BinaryReader(MYSQL_STMT* statement, MYSQL_RES* metadata)
    : statement_(statement),
      metadata_(metadata),
      cells_(mysql_num_fields(metadata)),
      binds_(mysql_num_fields(metadata)) {
    const auto* fields = mysql_fetch_fields(metadata);
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        auto& bind = binds_[i];
        bind.length = &cells_[i].length;
        bind.is_null = &cells_[i].null;
        bind.error = &cells_[i].truncated;
        bind.buffer = &cells_[i].integer;
        const auto shape = shape_of(fields[i]);
        switch (shape) {
            case Shape::signed_integer:
            case Shape::unsigned_integer:
                bind.buffer_type = MYSQL_TYPE_LONGLONG;
                bind.is_unsigned = shape == Shape::unsigned_integer ? 1 : 0;
                bind.buffer_length = sizeof(cells_[i].integer);
                break;
            case Shape::real:
                bind.buffer_type = MYSQL_TYPE_DOUBLE;
                bind.buffer_length = sizeof(cells_[i].real);
                break;
            case Shape::date:
            case Shape::date_time:
            case Shape::time:
                bind.buffer_type = fields[i].type == MYSQL_TYPE_NEWDATE ? MYSQL_TYPE_DATE : fields[i].type;
                bind.buffer_length = sizeof(cells_[i].time);
                break;
            case Shape::bits:
            case Shape::text:
                bind.buffer_type = MYSQL_TYPE_BLOB;
                bind.buffer_length = 0;
                break;
        }
    }
}

BinaryReader::~BinaryReader() {
    mysql_free_result(metadata_);
    mysql_stmt_free_result(statement_);
}

void BinaryReader::add_columns(RowsBuilder& into) const {
    add_columns_of(metadata_, into);
}

Result<bool> BinaryReader::next(RowsBuilder& into) {
    const int fetched = mysql_stmt_fetch(statement_);
    if (fetched == MYSQL_NO_DATA) return false;
    if (fetched != 0 && fetched != MYSQL_DATA_TRUNCATED) return std::unexpected(error_of(statement_));
    for (unsigned i = 0; i < cells_.size(); ++i) {
        if (auto read = read_cell(i, into); !read) return std::unexpected(read.error());
    }
    return true;
}

Result<void> BinaryReader::read_cell(unsigned column, RowsBuilder& into) {
    const auto& cell = cells_[column];
    if (cell.null != 0) {
        into.add({});
        return {};
    }
    const auto& field = mysql_fetch_fields(metadata_)[column];
    const auto shape = shape_of(field);
    switch (shape) {
        case Shape::signed_integer:
            into.add(cell.integer);
            return {};
        case Shape::unsigned_integer:
            into.add(static_cast<std::uint64_t>(cell.integer));
            return {};
        case Shape::real:
            into.add(cell.real);
            return {};
        case Shape::date:
        case Shape::date_time:
        case Shape::time:
            into.add(into.keep(text_of(cell.time, field.decimals)));
            return {};
        case Shape::bits:
        case Shape::text:
            break;
    }
    if (cell.length == 0) {
        into.add(std::string_view(""));
        return {};
    }
    MYSQL_BIND bind{};
    unsigned long length = 0;
    my_bool null = 0;
    my_bool truncated = 0;
    bind.buffer_type = MYSQL_TYPE_BLOB;
    bind.buffer = into.room(cell.length);
    bind.buffer_length = cell.length;
    bind.length = &length;
    bind.is_null = &null;
    bind.error = &truncated;
    if (mysql_stmt_fetch_column(statement_, &bind, column, 0) != 0) return std::unexpected(error_of(statement_));
    const std::string_view bytes(static_cast<const char*>(bind.buffer), cell.length);
    into.add(shape == Shape::bits ? Value(bits_in(bytes)) : Value(bytes));
    return {};
}

Result<void> BinaryReader::finish() {
    mysql_stmt_free_result(statement_);
    while (mysql_stmt_more_results(statement_)) {
        if (mysql_stmt_next_result(statement_) > 0) return std::unexpected(error_of(statement_));
        mysql_stmt_free_result(statement_);
    }
    return {};
}

}  // namespace tidegate::client
