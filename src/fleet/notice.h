// What a worker says over its NOTIFY_SOCKET: systemd's protocol, lines of NAME=value in a datagram. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::fleet {

struct Notice {
    bool ready = false;        // READY=1
    unsigned jobs_done = 0;    // JOB=1, once for each
    unsigned jobs_failed = 0;  // JOB=0
    bool has_status = false;   // STATUS=..
    std::string status;
};

// What it does not know it ignores, as systemd does.
[[nodiscard]] Notice parse_notice(std::string_view datagram);

}  // namespace tidegate::fleet
