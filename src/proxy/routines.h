// What is known of the server's stored routines, triggers and views: read through the monitor's connection, judged by
// sql/routine_scan, kept as one set that is replaced as a whole. Belongs to the loop's thread.
//
// From the moment that a statement which may change routines is on its way until a reading that began after its end,
// nothing is known, and every call pins. What is changed past the gate is seen by a checksum at each of the monitor's
// looks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/task.h"
#include "sql/mode.h"
#include "sql/routine_set.h"

namespace tidegate::proxy {

class Core;
class ServerConnection;

class Routines {
public:
    explicit Routines(Core& core) : core_(core) {}

    // nullptr: nothing is known now.
    [[nodiscard]] const sql::RoutineSet* known() const { return known_ ? &set_ : nullptr; }
    // Another number whenever what is known may be something else: what was judged before must be judged again.
    [[nodiscard]] std::uint64_t version() const { return version_; }

    // A statement that may change routines has been sent on this connection; it has ended, one way or the other.
    void changing(ServerConnection& connection);
    void changed(ServerConnection& connection);
    // Something ran that may have changed some; a look soon will tell.
    void suspect();

    // The monitor's: it has no connection any more; is it time to look; looks. False: the connection is lost.
    void lost();
    [[nodiscard]] TimePoint next_look() const { return wanted_ ? earliest_ : next_; }
    net::Task<bool> look(ServerConnection& connection);

private:
    static constexpr int kLooksBetweenPrograms = 5;  // triggers and views cost the server more to tell

    net::Task<bool> read_routines(ServerConnection& connection, sql::RoutineSource& to);
    net::Task<bool> read_loadable(ServerConnection& connection, sql::RoutineSource& to);
    net::Task<bool> read_programs(ServerConnection& connection, sql::RoutineSource& routines,
                                  std::vector<sql::ProgramSource>& to);
    void forget();
    [[nodiscard]] sql::Mode mode(std::string_view sql_mode) const;

    Core& core_;
    sql::RoutineSet set_;
    bool known_ = false;
    std::uint64_t version_ = 1;
    unsigned under_way_ = 0;     // statements that may change routines
    std::uint64_t changes_ = 0;  // begun and ended

    sql::RoutineSource routines_;
    std::vector<sql::ProgramSource> programs_;
    std::string routines_sum_;  // of what was read last; empty: nothing
    std::string programs_sum_;
    int looks_ = 0;
    bool told_ = false;  // that it cannot be read
    bool wanted_ = true;
    TimePoint earliest_{};
    TimePoint next_{};
};

}  // namespace tidegate::proxy
