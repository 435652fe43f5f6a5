// systemd's notification protocol, for supervisors that speak it: datagrams to the socket that NOTIFY_SOCKET names.
#pragma once

#include <string_view>

namespace tidegate::client {

// "READY=1", "STATUS=..", lines separated by newlines. Without NOTIFY_SOCKET, or with nobody there, nothing happens.
void notify(std::string_view message);

}  // namespace tidegate::client
