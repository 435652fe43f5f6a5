// Reading results off the wire with Connector/C, a row at a time and without its buffering them: of the text protocol
// (query) and of the binary one (prepared statements), both into the same cells.
#pragma once

#include <mysql.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "client/rows_builder.h"

namespace tidegate::client {

// What Connector/C says of the last failure.
[[nodiscard]] Error error_of(MYSQL* mysql);
[[nodiscard]] Error error_of(MYSQL_STMT* statement);

// One result set on its way. Destroying it before its end reads the rest.
class ResultReader {
public:
    ResultReader() = default;
    ResultReader(const ResultReader&) = delete;
    ResultReader& operator=(const ResultReader&) = delete;
    virtual ~ResultReader() = default;

    virtual void add_columns(RowsBuilder& into) const = 0;
    // false: there are no more rows.
    virtual Result<bool> next(RowsBuilder& into) = 0;
    // After the last row: what else the statement sent is read and dropped.
    virtual Result<void> finish() = 0;
};

class TextReader final : public ResultReader {
public:
    // REQUIRES: a statement has been sent whose result has columns.
    static Result<std::unique_ptr<ResultReader>> start(MYSQL* mysql);

    TextReader(MYSQL* mysql, MYSQL_RES* result) : mysql_(mysql), result_(result) {}
    ~TextReader() override;
    void add_columns(RowsBuilder& into) const override;
    Result<bool> next(RowsBuilder& into) override;
    Result<void> finish() override;

private:
    MYSQL* mysql_;
    MYSQL_RES* result_;
};

class BinaryReader final : public ResultReader {
public:
    // REQUIRES: the statement was executed, and has columns.
    static Result<std::unique_ptr<ResultReader>> start(MYSQL_STMT* statement);

    BinaryReader(MYSQL_STMT* statement, MYSQL_RES* metadata);
    ~BinaryReader() override;
    void add_columns(RowsBuilder& into) const override;
    Result<bool> next(RowsBuilder& into) override;
    Result<void> finish() override;

private:
    // Where Connector/C puts one column of the current row.
    struct Cell {
        union {
            std::int64_t integer;
            double real;
            MYSQL_TIME time;
        };
        unsigned long length;
        my_bool null;
        my_bool truncated;
    };
    Result<void> read_cell(unsigned column, RowsBuilder& into);

    MYSQL_STMT* statement_;
    MYSQL_RES* metadata_;
    std::vector<Cell> cells_;
    std::vector<MYSQL_BIND> binds_;
};

// How the server writes it: "2024-02-29 12:00:01.500000", "-838:59:59". `decimals` of seconds, more than 6: as many as
// it takes.
[[nodiscard]] std::string text_of(const MYSQL_TIME& time, unsigned decimals);

}  // namespace tidegate::client
