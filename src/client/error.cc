#include <tidegate/error.h>

#include <algorithm>
#include <array>

namespace tidegate {
namespace {

template <std::size_t N>
bool is_one_of(const Error& error, const std::array<std::uint16_t, N>& codes) {
    return std::ranges::find(codes, error.code) != codes.end();
}

}  // namespace

bool is_refusal(const Error& error) {
    return is_one_of(error, std::to_array<std::uint16_t>({1040, 1203, 1226}));
}

bool is_connection_lost(const Error& error) {
    return is_one_of(error, std::to_array<std::uint16_t>({1053, 1927, 2002, 2003, 2006, 2013, 2055, 4031}));
}

bool is_conflict(const Error& error) {
    return is_one_of(error, std::to_array<std::uint16_t>({1020, 1205, 1213}));
}

}  // namespace tidegate
