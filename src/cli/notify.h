// Tells systemd how the service stands (sd_notify's protocol: a datagram to the socket in NOTIFY_SOCKET). Does nothing
// elsewhere.
#pragma once

#include <string_view>

namespace tidegate::cli {

// Lines as sd_notify(3) has them: "READY=1\nSTATUS=..".
void notify_systemd(std::string_view state);

// RELOADING=1 with the time that systemd wants beside it.
void notify_reloading();

}  // namespace tidegate::cli
