// The processes of a fleet: starts them, hears what they say and print, and tells when one has ended and nothing of its
// process group is left. Does what it is told; the decisions are fleet.h's and jobs.h's.
//
// When a leader ends and others of its group go on, they get SIGTERM, and SIGKILL when `grace` is over.
// Belongs to the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "fleet/keeper.h"
#include "fleet/line_cutter.h"
#include "fleet/notice.h"
#include "fleet/process.h"
#include "fleet/worker.h"
#include "net/loop.h"
#include "net/socket.h"

namespace tidegate::fleet {

enum class Stream : std::uint8_t { out, err };

class CrewEvents {
public:
    virtual ~CrewEvents() = default;
    virtual void exited(WorkerId id, Exit exit) = 0;  // the last of it, after all of its lines
    virtual void line(WorkerId id, Stream stream, std::string_view text) = 0;
    virtual void notice(WorkerId id, const Notice& notice) = 0;
};

class Crew {
public:
    struct Settings {
        Duration grace = 30s;
        bool let_finish = false;       // KeeperOrders
        int hold = -1;                 // KeeperOrders
        bool notify = true;            // each process gets a NOTIFY_SOCKET
        std::uint64_t open_files = 0;  // the limit that each process gets; 0: this process's own, as it was before
    };
    // Makes the keeper and the folder of the sockets, and raises the limit of open files. Blocks SIGCHLD for this
    // thread.
    [[nodiscard]] static Result<std::unique_ptr<Crew>> make(net::Loop& loop, Settings settings, CrewEvents& events);
    ~Crew();  // kills what is left
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    // `environment` is added to what is inherited. REQUIRES: no process with this id.
    [[nodiscard]] Result<void> start(WorkerId id, std::vector<std::string> command,
                                     const std::vector<std::string>& environment, JournalNote journal = {});
    void terminate(WorkerId id);        // SIGTERM to the process that was started
    void terminate_group(WorkerId id);  // .. to all of its group
    void kill(WorkerId id);             // SIGKILL to the group
    [[nodiscard]] bool dies_of_sigterm(WorkerId id) const;
    [[nodiscard]] std::uint64_t resident_bytes(WorkerId id) const;
    [[nodiscard]] pid_t pid(WorkerId id) const;  // 0: none

    bool ended(const EndedChild& child);  // SIGCHLD has come for it; false: it is not of this crew
    void set_grace(Duration grace);
    void tick(TimePoint now);  // about every 50 ms
    [[nodiscard]] std::size_t size() const { return members_.size(); }

private:
    struct Member;
    struct Pipe {
        std::unique_ptr<net::Socket> end;
        LineCutter cutter;
        Member* member = nullptr;
        Stream stream = Stream::out;
    };
    struct Member {
        Crew* crew = nullptr;
        WorkerId id = 0;
        pid_t pid = 0;
        Pipe out;
        Pipe err;
        std::unique_ptr<net::Socket> notify;
        std::string notify_path;
        std::optional<Exit> exit;  // of the leader; the group may go on
        TimePoint kill_at{};       // then
    };

    Crew(net::Loop& loop, Settings settings, CrewEvents& events, Keeper keeper, std::string folder);
    [[nodiscard]] Member* find(WorkerId id);
    [[nodiscard]] const Member* find(WorkerId id) const;
    [[nodiscard]] Result<void> open_notify(Member& member);
    [[nodiscard]] Result<void> open_pipe(Pipe& pipe, int& write_end);
    void leader_ended(Member& member, Exit exit);
    void gone(Member& member);
    [[nodiscard]] bool renew_keeper();
    void read_pipe(Pipe& pipe);
    void read_notices(Member& member);
    static void on_pipe(void* pipe);
    static void on_notify(void* member);

    net::Loop& loop_;
    Settings settings_;
    CrewEvents& events_;
    Keeper keeper_;
    std::string folder_;
    std::vector<std::string> environment_;
    std::uint64_t open_files_ = 0;
    std::uint64_t sockets_made_ = 0;
    std::map<WorkerId, std::unique_ptr<Member>> members_;
    std::unordered_map<pid_t, WorkerId> by_pid_;
};

}  // namespace tidegate::fleet
