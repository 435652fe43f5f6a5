#include "client/mysql_statement.h"

#include <fmt/core.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "client/mysql_result.h"

namespace tidegate::client {
namespace {

MYSQL_TIME time_of(std::chrono::year_month_day date) {
    MYSQL_TIME time{};
    time.time_type = MYSQL_TIMESTAMP_DATE;
    time.year = static_cast<unsigned>(static_cast<int>(date.year()));
    time.month = static_cast<unsigned>(date.month());
    time.day = static_cast<unsigned>(date.day());
    return time;
}

void set_clock(MYSQL_TIME& time, std::chrono::microseconds since_midnight) {
    const std::chrono::hh_mm_ss clock(since_midnight);
    time.hour = static_cast<unsigned>(clock.hours().count());
    time.minute = static_cast<unsigned>(clock.minutes().count());
    time.second = static_cast<unsigned>(clock.seconds().count());
    time.second_part = static_cast<unsigned long>(clock.subseconds().count());
}

MYSQL_TIME time_of(Timestamp at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    auto time = time_of(std::chrono::year_month_day(day));
    time.time_type = MYSQL_TIMESTAMP_DATETIME;
    set_clock(time, at - day);
    return time;
}

MYSQL_TIME time_of(std::chrono::microseconds span) {
    MYSQL_TIME time{};
    time.time_type = MYSQL_TIMESTAMP_TIME;
    time.neg = span.count() < 0 ? 1 : 0;
    set_clock(time, span.count() < 0 ? -span : span);
    return time;
}

// Parameters as Connector/C wants them, and the memory that its pointers point to.
class Binds {
public:
    explicit Binds(std::span<const Parameter> values) : binds_(values.size()), memory_(values.size()) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            std::visit([&](const auto& value) { bind(binds_[i], memory_[i], value); }, values[i].shape());
        }
    }
    [[nodiscard]] MYSQL_BIND* data() { return binds_.data(); }

private:
    union Memory {
        std::int64_t integer;
        double real;
        MYSQL_TIME time;
    };

    static void bind(MYSQL_BIND& bind, Memory&, std::monostate) { bind.buffer_type = MYSQL_TYPE_NULL; }
    static void bind(MYSQL_BIND& bind, Memory& memory, std::int64_t number) {
        memory.integer = number;
        point(bind, MYSQL_TYPE_LONGLONG, &memory.integer, sizeof(number));
    }
    static void bind(MYSQL_BIND& bind, Memory& memory, std::uint64_t number) {
        memory.integer = static_cast<std::int64_t>(number);
        point(bind, MYSQL_TYPE_LONGLONG, &memory.integer, sizeof(number));
        bind.is_unsigned = 1;
    }
    static void bind(MYSQL_BIND& bind, Memory& memory, double number) {
        memory.real = number;
        point(bind, MYSQL_TYPE_DOUBLE, &memory.real, sizeof(number));
    }
    // Connector/C only reads what parameters point to, through a pointer that could write.
    static void bind(MYSQL_BIND& bind, Memory&, std::string_view text) {
        point(bind, MYSQL_TYPE_STRING, const_cast<char*>(text.data()), text.size());
    }
    static void bind(MYSQL_BIND& bind, Memory&, Parameter::Blob bytes) {
        point(bind, MYSQL_TYPE_BLOB, const_cast<std::byte*>(bytes.data()), bytes.size());
    }
    static void bind(MYSQL_BIND& bind, Memory& memory, Timestamp at) {
        point_at_time(bind, memory, MYSQL_TYPE_DATETIME, time_of(at));
    }
    static void bind(MYSQL_BIND& bind, Memory& memory, std::chrono::year_month_day date) {
        point_at_time(bind, memory, MYSQL_TYPE_DATE, time_of(date));
    }
    static void bind(MYSQL_BIND& bind, Memory& memory, std::chrono::microseconds span) {
        point_at_time(bind, memory, MYSQL_TYPE_TIME, time_of(span));
    }

    static void point_at_time(MYSQL_BIND& bind, Memory& memory, enum_field_types type, const MYSQL_TIME& time) {
        memory.time = time;
        point(bind, type, &memory.time, sizeof(memory.time));
    }
    static void point(MYSQL_BIND& bind, enum_field_types type, void* at, std::size_t size) {
        bind.buffer_type = type;
        bind.buffer = at;
        bind.buffer_length = size;
        bind.length_value = size;
        bind.length = &bind.length_value;
    }

    std::vector<MYSQL_BIND> binds_;
    std::vector<Memory> memory_;
};

}  // namespace

Result<MYSQL_STMT*> StatementCache::prepare(std::string_view sql) {
    if (const auto known = std::ranges::find(statements_, sql, &Entry::sql); known != statements_.end()) {
        statements_.splice(statements_.begin(), statements_, known);
        return known->statement.get();
    }
    Entry entry{std::string(sql), {mysql_stmt_init(mysql_), {}}};
    if (!entry.statement) return std::unexpected(error_of(mysql_));
    if (mysql_stmt_prepare(entry.statement.get(), sql.data(), sql.size()) != 0) {
        return std::unexpected(error_of(entry.statement.get()));
    }
    while (!statements_.empty() && statements_.size() >= limit_) statements_.pop_back();
    statements_.push_front(std::move(entry));
    return statements_.front().statement.get();
}

Result<void> execute_with(MYSQL_STMT* statement, std::span<const Parameter> values) {
    const auto wanted = mysql_stmt_param_count(statement);
    if (wanted != values.size()) {
        return fail(
            error_code::parameters, "HY000",
            fmt::format("the statement has {} question marks, and {} values were given", wanted, values.size()));
    }
    Binds binds(values);
    if (!values.empty() && mysql_stmt_bind_param(statement, binds.data()) != 0) {
        return std::unexpected(error_of(statement));
    }
    if (mysql_stmt_execute(statement) != 0) return std::unexpected(error_of(statement));
    return {};
}

}  // namespace tidegate::client
