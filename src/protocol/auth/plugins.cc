#include "protocol/auth/plugins.h"

namespace tidegate::protocol::auth {

Bytes trim_nonce(Bytes data, std::size_t size) {
    if (data.size() == size + 1 && data.back() == std::byte{0}) return data.first(size);
    return data;
}

}  // namespace tidegate::protocol::auth
