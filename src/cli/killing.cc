#include "cli/killing.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "cli/commands.h"
#include "cli/inputs.h"
#include "watch/killer.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;
using watch::Killed;

std::string audit_file(const Killing& killing) {
    if (!killing.audit_log.empty()) return killing.audit_log;
    const char* state = std::getenv("XDG_STATE_HOME");
    std::string folder = state != nullptr && *state != '\0' ? state : "";
    if (folder.empty()) {
        folder = home_folder();
        if (folder.empty()) return "";
        folder += "/.local/state";
    }
    folder += "/tidegate";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return folder + "/kills.log";
}

std::string system_account() {
    const auto* entry = getpwuid(getuid());
    return entry != nullptr ? entry->pw_name : std::to_string(getuid());
}

// One line for each kill, in one write each, so that several at once do not mix theirs.
class AuditLog {
public:
    explicit AuditLog(const std::string& path) : path_(path) {
        if (!path.empty()) fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd_ < 0)
            fmt::print(stderr, "tidegate: warning: no audit log is written, {}: {}\n",
                       path.empty() ? "no home folder" : path, std::strerror(errno));
    }
    ~AuditLog() {
        if (fd_ >= 0) ::close(fd_);
    }
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    void write(const Killed& killed, const Killing& killing, const std::string& server) const {
        if (fd_ < 0) return;
        const auto now = std::chrono::system_clock::now();
        const auto line =
            fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} by {} at {}: {}; filter: {}{}{}\n",
                        fmt::gmtime(std::chrono::system_clock::to_time_t(now)), name_of(killed.end), system_account(),
                        server, sentence_of(killed.connection), killing.filter.text(),
                        killing.query_only ? "; only its statement" : "", killed.why.empty() ? "" : "; " + killed.why);
        if (::write(fd_, line.data(), line.size()) < 0)
            fmt::print(stderr, "tidegate: warning: {}: {}\n", path_, std::strerror(errno));
    }

private:
    std::string path_;
    int fd_ = -1;
};

json json_of(const watch::Connection& c) {
    json row{{"id", c.id},
             {"user", c.user},
             {"host", c.host},
             {"port", c.port},
             {"schema", c.schema},
             {"command", c.command},
             {"seconds", seconds(c.time)},
             {"program", c.program()},
             {"pid", c.local && c.local->pid != 0 ? json(c.local->pid) : json(nullptr)},
             {"in_transaction", c.in_transaction.has_value()}};
    return row;
}

void say(const Killed& killed, const Killing& killing) {
    const auto who = sentence_of(killed.connection);
    switch (killed.end) {
        case watch::End::ended:
            fmt::print("{}: {}\n", killing.query_only ? "stopped the statement of" : "ended", who);
            return;
        case watch::End::changed:
            fmt::print("left alone, since it is at work again or another by now: {}\n", who);
            return;
        case watch::End::gone:
            fmt::print("had ended by itself: {}\n", who);
            return;
        case watch::End::refused:
            break;
    }
    fmt::print("not ended, {}: {}\n", killed.why, who);
}

void say_spared(const watch::Choice& choice) {
    for (const auto& [kind, count] : choice.spared) {
        if (kind == watch::Kind::own) continue;
        fmt::print("never ended, though the filter fits: {} {} ({})\n", count,
                   count == 1 ? "connection" : "connections",
                   kind == watch::Kind::gate ? "of a gate's pool; the gate closes its idle ones itself"
                                             : std::string(name_of(kind)));
    }
    if (choice.beyond_limit > 0) fmt::print("{} more fit, beyond the limit\n", choice.beyond_limit);
}

void say_dry(const watch::Choice& choice) {
    for (const auto& victim : choice.victims) fmt::print("would end: {}\n", sentence_of(victim));
    say_spared(choice);
    fmt::print("{} would be ended; nothing was, this is a dry run\n", choice.victims.size());
}

}  // namespace

int end_connections(WayIn& way, const watch::Snapshot& snapshot, const Killing& killing) {
    const auto choice = choose(snapshot, killing.filter, killing.which, killing.limit);
    if (killing.dry_run) {
        if (killing.json) {
            json rows = json::array();
            for (const auto& victim : choice.victims) rows.push_back(json_of(victim));
            fmt::print("{}\n", json{{"dry_run", true}, {"would_end", rows}}.dump(2, ' ', false,
                                                                                 json::error_handler_t::replace));
        } else {
            say_dry(choice);
        }
        return kWell;
    }
    const AuditLog audit(choice.victims.empty() ? "/dev/null" : audit_file(killing));
    std::map<watch::End, std::size_t> ends;
    json rows = json::array();
    bool first = true;
    for (const auto& victim : choice.victims) {
        if (!std::exchange(first, false) && killing.pause > Duration::zero())
            std::this_thread::sleep_for(killing.pause);
        const auto killed = watch::kill(way.session(), snapshot, victim, killing.query_only);
        ++ends[killed.end];
        audit.write(killed, killing, way.server().text());
        if (!killing.json) {
            say(killed, killing);
            continue;
        }
        rows.push_back(json_of(victim));
        rows.back()["end"] = name_of(killed.end);
        if (!killed.why.empty()) rows.back()["why"] = killed.why;
    }
    if (killing.json) {
        fmt::print("{}\n",
                   json{{"dry_run", false}, {"connections", rows}}.dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        say_spared(choice);
        fmt::print("{} ended, {} left alone, {} gone by themselves, {} not ended\n", ends[watch::End::ended],
                   ends[watch::End::changed], ends[watch::End::gone], ends[watch::End::refused]);
    }
    return ends[watch::End::refused] == 0 ? kWell : kAttention;
}

}  // namespace tidegate::cli
