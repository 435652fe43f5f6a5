// How long clients waited, in buckets that grow by a quarter of a power of two: 1 us to over an hour in 128 counters,
// any percentile at most a quarter too high. Since the start; recording costs a few instructions and never allocates.
// A value: one thread at a time. To read it elsewhere, copy it on its own thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "base/clock.h"

namespace tidegate {

class WaitHistogram {
public:
    static constexpr std::size_t kBuckets = 128;

    void record(Duration waited) {
        const auto us = microseconds(waited);
        ++buckets_[bucket_of(us)];
        ++count_;
        sum_ += us;
        max_ = std::max(max_, us);
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] Duration sum() const { return std::chrono::microseconds(sum_); }
    [[nodiscard]] Duration max() const { return std::chrono::microseconds(max_); }

    // The wait that `p` percent (0 to 100) stayed within: the upper bound of its bucket, never above max(). Zero when
    // nothing was recorded.
    [[nodiscard]] Duration percentile(double p) const {
        if (count_ == 0) return {};
        const double share = std::clamp(p, 0.0, 100.0) / 100.0 * static_cast<double>(count_);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < kBuckets; ++i) {
            seen += buckets_[i];
            if (seen > 0 && static_cast<double>(seen) >= share) return std::min(upper_bound(i), max());
        }
        return max();
    }

    // How many stayed within `limit`, to the precision of the buckets: those whose whole bucket lies within it.
    [[nodiscard]] std::uint64_t within(Duration limit) const {
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < kBuckets && upper_bound(i) <= limit; ++i) seen += buckets_[i];
        return seen;
    }

    // Can recording have led here? For one that was read from a file.
    [[nodiscard]] bool plausible() const {
        constexpr auto kMost = static_cast<std::uint64_t>(Duration::max() / std::chrono::microseconds(1));
        return max_ <= sum_ && sum_ <= kMost &&
               count_ == std::accumulate(buckets_.begin(), buckets_.end(), std::uint64_t{0});
    }

    // The greatest wait that falls into a bucket; the last has no end.
    [[nodiscard]] static Duration upper_bound(std::size_t bucket) {
        if (bucket + 1 >= kBuckets) return Duration::max();
        return std::chrono::microseconds(lower_us(bucket + 1) - 1);
    }

private:
    // Below 4 us a bucket is one microsecond; from there on each power of two has four.
    [[nodiscard]] static std::size_t bucket_of(std::uint64_t us) {
        if (us < 4) return static_cast<std::size_t>(us);
        const auto power = static_cast<std::size_t>(std::bit_width(us)) - 1;  // at least 2
        const auto quarter = static_cast<std::size_t>((us >> (power - 2)) & 3);
        return std::min((power - 1) * 4 + quarter, kBuckets - 1);
    }
    [[nodiscard]] static std::uint64_t lower_us(std::size_t bucket) {
        if (bucket < 4) return bucket;
        const std::size_t power = bucket / 4 + 1;
        return (std::uint64_t{4} + bucket % 4) << (power - 2);
    }
    [[nodiscard]] static std::uint64_t microseconds(Duration d) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
        return us > 0 ? static_cast<std::uint64_t>(us) : 0;
    }

    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace tidegate
