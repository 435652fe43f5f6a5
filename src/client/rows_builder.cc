#include "client/rows_builder.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace tidegate::client {
namespace {

constexpr std::size_t kFirstChunk = 4 * 1024;
constexpr std::size_t kLargestChunk = 256 * 1024;

}  // namespace

char* RowsBuilder::room(std::size_t size) {
    auto& storage = rows_.storage_;
    if (size > left_) {
        chunk_ = std::max(size, std::clamp(2 * chunk_, kFirstChunk, kLargestChunk));
        storage.push_back(std::make_unique_for_overwrite<char[]>(chunk_));
        left_ = chunk_;
    }
    char* at = storage.empty() ? nullptr : storage.back().get() + (chunk_ - left_);
    left_ -= size;
    return at;
}

std::string_view RowsBuilder::keep(std::string_view text) {
    if (text.empty()) return "";
    char* at = room(text.size());
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
}

void RowsBuilder::begin_row() {
    rows_.values_.clear();
    auto& storage = rows_.storage_;
    if (storage.size() > 1) storage.erase(storage.begin(), storage.end() - 1);
    left_ = chunk_;
}

}  // namespace tidegate::client
