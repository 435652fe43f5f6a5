// A table of words that is made by the compiler and looked up without regard to case, without folding or copying the
// word: two loads cover up to 16 bytes, a multiplication finds the slot. Words are ASCII letters, digits and
// underscores.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tidegate::sql {

inline constexpr std::size_t kLongestWord = 48;

// The bytes of a word in two numbers, with bit 5 of every byte set: that folds letters, leaves digits alone, and takes
// the underscore to a byte that no word has.
struct WordKey {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    static constexpr std::uint64_t load(const char* p, std::size_t n) {
        std::uint64_t value = 0;
        if consteval {
            for (std::size_t i = 0; i < n; ++i) {
                value |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
            }
        } else {
            static_assert(std::endian::native == std::endian::little);
            switch (n) {
                case 8:
                    std::memcpy(&value, p, 8);
                    break;
                case 4:
                    std::memcpy(&value, p, 4);
                    break;
                case 2:
                    std::memcpy(&value, p, 2);
                    break;
                default:
                    value = static_cast<unsigned char>(*p);
                    break;
            }
        }
        return value;
    }

    // REQUIRES: the word is not empty.
    static constexpr WordKey of(std::string_view word) {
        const char* p = word.data();
        const std::size_t n = word.size();
        constexpr std::uint64_t kFold = 0x2020202020202020U;
        if (n >= 8) {
            return {load(p, 8) | kFold, load(p + n - 8, 8) | kFold};
        }
        if (n >= 4) {
            return {(load(p, 4) | load(p + n - 4, 4) << 32U) | kFold, 0};
        }
        if (n >= 2) {
            return {(load(p, 2) | load(p + n - 2, 2) << 16U) | kFold, 0};
        }
        return {load(p, 1) | kFold, 0};
    }

    [[nodiscard]] constexpr std::size_t slot(std::size_t length, unsigned bits) const {
        const std::uint64_t mixed = (first ^ std::rotl(last, 29) ^ length) * 0x9E3779B97F4A7C15U;
        return static_cast<std::size_t>(mixed >> (64U - bits));
    }
    friend constexpr bool operator==(const WordKey&, const WordKey&) = default;
};

template <class Info, std::size_t Capacity, unsigned Bits>
class WordTable {
public:
    // The word's entry, made if it is not there yet.
    constexpr Info& add(std::string_view word) {
        const WordKey key = WordKey::of(word);
        std::size_t slot = key.slot(word.size(), Bits);
        while (slots_[slot] != 0) {
            Entry& entry = entries_[slots_[slot] - 1U];
            if (entry.text == word) {
                return entry.info;
            }
            slot = (slot + 1) % slots_.size();
        }
        Entry& entry = entries_[size_];  // too many words do not compile
        entry.key = key;
        entry.text = word;
        slots_[slot] = static_cast<std::uint16_t>(++size_);
        return entry.info;
    }

    [[nodiscard, gnu::always_inline]] constexpr const Info* find(std::string_view word) const {
        if (word.empty() || word.size() > kLongestWord) {
            return nullptr;
        }
        const WordKey key = WordKey::of(word);
        for (std::size_t slot = key.slot(word.size(), Bits); slots_[slot] != 0; slot = (slot + 1) % slots_.size()) {
            const Entry& entry = entries_[slots_[slot] - 1U];
            if (entry.key == key && entry.text.size() == word.size() &&
                (word.size() <= 16 || same_middle(entry.text, word))) {
                return &entry.info;
            }
        }
        return nullptr;
    }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }

private:
    struct Entry {
        WordKey key;
        std::string_view text;  // in lower case
        Info info;
    };

    static constexpr bool same_middle(std::string_view ours, std::string_view word) {
        for (std::size_t i = 8; i + 8 < word.size(); ++i) {
            if ((word[i] | 0x20) != (ours[i] | 0x20)) {
                return false;
            }
        }
        return true;
    }

    std::size_t size_ = 0;
    std::array<Entry, Capacity> entries_{};
    std::array<std::uint16_t, std::size_t{1} << Bits> slots_{};
};

// Calls `use(word)` for each of the words of a list with spaces between them.
template <class Use>
constexpr void for_each_word(std::string_view list, Use use) {
    std::size_t at = 0;
    while (at < list.size()) {
        const std::size_t end = list.find(' ', at) < list.size() ? list.find(' ', at) : list.size();
        if (end > at) {
            use(list.substr(at, end - at));
        }
        at = end + 1;
    }
}

}  // namespace tidegate::sql
