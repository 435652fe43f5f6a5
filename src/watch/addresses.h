// Addresses as this host sees them: what a name stands for, and which are its own. Asks the system.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "watch/ip.h"

namespace tidegate::watch {

// Asks the resolver; blocks. Errors: a sentence.
[[nodiscard]] Result<std::vector<Ip>> addresses_of(const std::string& host);

// Of all interfaces of this host.
[[nodiscard]] std::vector<Ip> own_addresses();

}  // namespace tidegate::watch
