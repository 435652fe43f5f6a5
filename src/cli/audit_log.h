// A line for everything that was ended, who asked for it and why: for the person who asks later what happened.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::cli {

// `named`, or kills.log in Tidegate's folder under XDG_STATE_HOME or ~/.local/state, which is made; empty: there is no
// home.
[[nodiscard]] std::string audit_file(const std::string& named);

// Each line in one write, so that several programs may share the file. Where it cannot be written, a warning says so
// and the work goes on.
class AuditLog {
public:
    explicit AuditLog(std::string path);
    ~AuditLog();
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    // "2026-11-12T03:12:45Z ended by root at 127.0.0.1:3306: connection 42, ..; filter: idle for 180 s or more"
    void write(std::string_view end, std::string_view server, std::string_view whom, std::string_view filter,
               std::string_view why) const;

private:
    std::string path_;
    int fd_ = -1;
};

}  // namespace tidegate::cli
