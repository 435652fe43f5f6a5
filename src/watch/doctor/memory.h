// The memory that a server may take: for itself, and for each connection. From its settings. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "watch/doctor/looks.h"

namespace tidegate::watch::doctor {

struct MemoryPart {
    std::string name;  // the variable
    std::uint64_t bytes = 0;
};

struct MemoryNeed {
    std::vector<MemoryPart> shared;          // once
    std::vector<MemoryPart> per_connection;  // for each, at most
    [[nodiscard]] std::uint64_t shared_bytes() const;
    [[nodiscard]] std::uint64_t connection_bytes() const;
    [[nodiscard]] std::uint64_t with(std::uint64_t connections) const;
};
[[nodiscard]] MemoryNeed memory_need(const Looks& looks);

// How many connections fit into nine tenths of the machine's memory; nothing: the memory is not known.
[[nodiscard]] std::optional<std::uint64_t> connections_that_fit(const Looks& looks);

}  // namespace tidegate::watch::doctor
