// A certificate of our own making, so that clients get TLS from the first start, as mysqld does it. It encrypts; it
// proves to nobody who we are. P-256, since every connection pays for the signature.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::net {

struct Certificate {
    std::string certificate_pem;
    std::string key_pem;
};

// Self-signed, good for ten years from yesterday (clocks differ), for `hostname` and localhost.
[[nodiscard]] Result<Certificate> make_certificate(std::string_view hostname);

// SHA-256 of the first certificate in a PEM text, in DER: what clients call its fingerprint.
[[nodiscard]] Result<std::vector<std::byte>> certificate_sha256(std::string_view certificate_pem);

}  // namespace tidegate::net
