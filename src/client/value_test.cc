#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tidegate/parameter.h>
#include <tidegate/rows.h>

#include <cmath>

#include "client/rows_builder.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using testing::HasSubstr;

template <class T>
std::optional<T> read_as(const Value& value) {
    auto result = read_value<T>(value, "c");
    return result ? std::optional<T>(std::move(*result)) : std::nullopt;
}

TEST(Value, IntegersAreReadWithinTheirRange) {
    EXPECT_EQ(read_as<int>(std::int64_t{-5}), -5);
    EXPECT_EQ(read_as<std::uint8_t>(std::int64_t{255}), 255);
    EXPECT_EQ(read_as<std::uint8_t>(std::int64_t{256}), std::nullopt);
    EXPECT_EQ(read_as<unsigned>(std::int64_t{-1}), std::nullopt);
    EXPECT_EQ(read_as<std::int64_t>(std::uint64_t{1} << 63U), std::nullopt);
    EXPECT_EQ(read_as<std::uint64_t>(std::uint64_t{1} << 63U), std::uint64_t{1} << 63U);
    EXPECT_EQ(read_as<int>("42"sv), 42);
    EXPECT_EQ(read_as<int>("42x"sv), std::nullopt);
    EXPECT_EQ(read_as<int>(""sv), std::nullopt);
    EXPECT_EQ(read_as<int>(1.0), std::nullopt);
    EXPECT_EQ(read_as<bool>(std::int64_t{2}), true);
    EXPECT_EQ(read_as<bool>("1"sv), std::nullopt);
}

TEST(Value, NumbersAreReadAsDoubleAndText) {
    EXPECT_EQ(read_as<double>("12.50"sv), 12.5);
    EXPECT_EQ(read_as<double>(std::int64_t{3}), 3.0);
    EXPECT_EQ(read_as<float>(0.5), 0.5F);
    EXPECT_EQ(read_as<std::string>(std::int64_t{-7}), "-7");
    EXPECT_EQ(read_as<std::string>(0.25), "0.25");
    EXPECT_EQ(read_as<std::string_view>(std::int64_t{-7}), std::nullopt);
}

TEST(Value, NullIsAnErrorUnlessAllowed) {
    EXPECT_EQ(read_value<int>({}, "age").error().code, error_code::is_null);
    EXPECT_THAT(read_value<int>({}, "age").error().message, HasSubstr("`age` is NULL"));
    EXPECT_EQ(read_as<std::optional<int>>({}).value(), std::nullopt);
    EXPECT_EQ(read_as<std::optional<int>>(std::int64_t{1}), std::optional<int>(1));
    EXPECT_EQ(read_value<std::optional<int>>("x"sv, "age").error().code, error_code::bad_value);
}

TEST(Value, DatesAndTimes) {
    using namespace std::chrono;
    EXPECT_EQ(read_as<year_month_day>("2024-02-29"sv), 2024y / February / 29);
    EXPECT_EQ(read_as<year_month_day>("2024-02-29 10:00:00"sv), 2024y / February / 29);
    EXPECT_EQ(read_as<year_month_day>("2023-02-29"sv), std::nullopt);
    EXPECT_EQ(read_as<year_month_day>("0000-00-00"sv), std::nullopt);
    EXPECT_EQ(read_as<Timestamp>("1970-01-02 03:04:05.5"sv), Timestamp(24h + 3h + 4min + 5s + 500ms));
    EXPECT_EQ(read_as<Timestamp>("1970-01-02"sv), Timestamp(24h));
    EXPECT_EQ(read_as<Timestamp>("1970-01-02 03:04"sv), std::nullopt);
    EXPECT_EQ(read_as<microseconds>("-838:59:59.000001"sv), -(838h + 59min + 59s + 1us));
    EXPECT_EQ(read_as<microseconds>("00:00:01"sv), 1s);
    EXPECT_EQ(read_as<microseconds>("noon"sv), std::nullopt);
}

TEST(Value, BytesAreKeptAsTheyAre) {
    EXPECT_EQ(read_as<std::vector<std::byte>>("a\0b"sv), (std::vector{std::byte{'a'}, std::byte{0}, std::byte{'b'}}));
}

class RowTest : public testing::Test {
protected:
    RowTest() {
        client::RowsBuilder builder;
        builder.add_column("id");
        builder.add_column("Name");
        builder.add_column("born");
        for (std::int64_t i = 0; i < 2000; ++i) {
            builder.add(i);
            builder.add(builder.keep("person " + std::to_string(i)));
            builder.add(i % 2 == 0 ? Value() : Value(std::int64_t{1900}));
        }
        rows = builder.take();
    }
    Rows rows;
};

TEST_F(RowTest, IsReadByNameAndByPosition) {
    ASSERT_EQ(rows.size(), 2000U);
    EXPECT_EQ(rows[7].get<int>("id"), 7);
    EXPECT_EQ(rows[7].get<int>(0), 7);
    EXPECT_EQ(rows[7].get<std::string_view>("name"), "person 7");
    EXPECT_EQ(rows.front().get<std::optional<int>>("born"), std::nullopt);
    EXPECT_EQ(rows[1].get<std::optional<int>>("BORN"), 1900);
}

TEST_F(RowTest, IsReadAsAWhole) {
    int count = 0;
    for (const Row row : rows) {
        const auto person = row.as<int, std::string, std::optional<int>>();
        ASSERT_TRUE(person.has_value());
        EXPECT_EQ(std::get<1>(*person), "person " + std::to_string(count++));
    }
    EXPECT_EQ(count, 2000);
    EXPECT_EQ((rows[0].as<int, std::string, int>().error().code), error_code::is_null);
    EXPECT_EQ((rows[0].as<int, std::string, std::optional<int>, int>().error().code), error_code::no_column);
}

TEST_F(RowTest, SaysWhichColumnsThereAre) {
    EXPECT_EQ(rows[0].get<int>("age").error().message, "the result has no column `age`; it has id, Name, born");
    EXPECT_EQ(rows[0].get<int>(3).error().message,
              "the result has no column number 3 (the first is 0); it has id, Name, born");
}

TEST_F(RowTest, KeepsItsTextWhenTheRowsMove) {
    const Rows moved = std::move(rows);
    EXPECT_EQ(moved[1999].get<std::string_view>("name"), "person 1999");
}

// What the parameter holds, if it holds a T.
template <class T>
std::optional<T> bound(const Parameter& parameter) {
    const auto* value = std::get_if<T>(&parameter.shape());
    return value != nullptr ? std::optional<T>(*value) : std::nullopt;
}

TEST(Parameter, TakesWhatCanBeBound) {
    EXPECT_EQ(bound<std::int64_t>(true), 1);
    EXPECT_EQ(bound<std::uint64_t>(7U), 7U);
    EXPECT_EQ(bound<double>(0.5F), 0.5);
    EXPECT_EQ(bound<std::string_view>("text"), "text");
    EXPECT_EQ(bound<std::string_view>(std::string("text")), "text");
    EXPECT_TRUE(bound<std::monostate>(std::nullopt));
    EXPECT_TRUE(bound<std::monostate>(nullptr));
    EXPECT_EQ(bound<std::int64_t>(std::optional<int>(3)), 3);
    EXPECT_TRUE(bound<std::monostate>(std::optional<std::string>()));
    EXPECT_EQ(bound<std::chrono::microseconds>(90s), 90s);
    static_assert(!std::is_constructible_v<Parameter, std::vector<int>>);
    static_assert(!std::is_constructible_v<Parameter, char>, "a letter or a number?");
}

}  // namespace
}  // namespace tidegate
