#include "fleet/notice.h"

#include <algorithm>

namespace tidegate::fleet {
namespace {
constexpr std::size_t kLongestStatus = 200;
}

Notice parse_notice(std::string_view datagram) {
    constexpr std::string_view kStatus = "STATUS=";
    Notice notice;
    while (!datagram.empty()) {
        const auto end = std::min(datagram.find('\n'), datagram.size());
        const auto line = datagram.substr(0, end);
        datagram.remove_prefix(std::min(end + 1, datagram.size()));
        if (line == "READY=1") {
            notice.ready = true;
        } else if (line == "JOB=1") {
            ++notice.jobs_done;
        } else if (line == "JOB=0") {
            ++notice.jobs_failed;
        } else if (line.starts_with(kStatus)) {
            notice.has_status = true;
            notice.status = line.substr(kStatus.size(), kLongestStatus);
            // It goes to terminals and logs.
            std::ranges::replace_if(notice.status, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
        }
    }
    return notice;
}

}  // namespace tidegate::fleet
