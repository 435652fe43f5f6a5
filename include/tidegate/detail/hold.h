// Not for use: what ties a Lease, and the transactions and streams on it, to the pool.
#pragma once

#include <cstdint>
#include <memory>

namespace tidegate::client {
class PoolShell;
struct Seat;
}  // namespace tidegate::client

namespace tidegate::detail {

// A seat of the pool, for as long as the lease with this number has it. Keeps the pool's state alive; says (through
// valid()) whether the lease is still that one.
struct Hold {
    std::shared_ptr<client::PoolShell> pool;
    client::Seat* seat = nullptr;
    std::uint64_t lease = 0;

    [[nodiscard]] bool valid() const;
};

}  // namespace tidegate::detail
