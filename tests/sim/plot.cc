// What happens on the day, and what must have come of it. Times are those of incidents.md and of the promises in
// design.md.

#include <fmt/core.h>

#include "sim/day.h"

namespace tidegate::sim {

struct Scenes {
    static pool::Pool& pool(Day& day) { return day.shell_.pool(); }
    static unsigned limit(Day& day) { return pool(day).budget().limit(); }
    static unsigned limit_of(Day& day, budget::AccountId account) { return pool(day).budget().limit_of(account); }
    static void expect_waiting_below(Day& day, std::size_t most, const char* when) {
        day.expect(pool(day).waiting() < most, fmt::format("{} wait {}", pool(day).waiting(), when));
    }

    // The server dies and is back after five seconds: everyone works again within a second.
    static void crash(Day& day) { day.lose_all(); }
    static void back(Day& day) { day.server_.up = true; }
    static void works_again(Day& day) { expect_waiting_below(day, 5, "1.5 s after the server's return"); }

    static void freeze(Day& day) { day.server_.frozen = true; }
    static void thaw(Day& day) { day.server_.frozen = false; }

    static void block_host(Day& day) {
        day.lose_all();
        day.server_.up = true;
        day.server_.host_blocked = true;
    }
    static void flush_hosts(Day& day) { day.server_.host_blocked = false; }
    static void unblocked(Day& day) { expect_waiting_below(day, 5, "61 s after FLUSH HOSTS"); }

    static void deny_api(Day& day) {
        day.server_.denied[2] = true;
        day.shell_.new_generation(day.now_);
    }
    static void admit_api(Day& day) { day.server_.denied[2] = false; }

    // SET GLOBAL max_connections = 20, in a rush.
    static void shrink(Day& day) {
        day.rush_ = 40;
        day.server_.others = 2;
        day.server_.max_connections = 20;
    }
    static void shrunk(Day& day) {
        if (day.morning_.monitored)
            day.expect(limit(day) <= 17, fmt::format("limit {} for a server of 20", limit(day)));
    }
    static void grow(Day& day) { day.server_.max_connections = 151; }
    static void grown(Day& day) {
        // Without a monitor it grows as far as anybody needs it.
        const unsigned least = day.morning_.monitored ? 60 : 30;
        day.expect(limit(day) >= least || pool(day).waiting() == 0, fmt::format("the limit stays at {}", limit(day)));
        expect_waiting_below(day, 100, "a minute after max_connections was raised again");
    }
    static void calm(Day& day) {
        day.rush_ = 1;
        day.server_.statements_take = 1;
        day.server_.open_takes = 0.002;
    }

    // ALTER USER .. WITH MAX_USER_CONNECTIONS 10, and later SET GLOBAL max_user_connections = 5.
    static void limit_web(Day& day) {
        day.rush_ = 40;
        day.server_.account_limits[0] = 10;
    }
    static void web_limited(Day& day) {
        if (day.morning_.monitored)
            day.expect(limit_of(day, 0) == 10, fmt::format("limit of web {}", limit_of(day, 0)));
        day.expect(limit(day) > 10, "one account's limit became everybody's");
    }
    static void free_web(Day& day) { day.server_.account_limits[0] = 0; }
    static void web_free(Day& day) {
        day.expect(limit_of(day, 0) > 10 || pool(day).waiting() < 50, "web does not grow back");
    }
    static void limit_all(Day& day) { day.server_.max_user_connections = 5; }
    static void free_all(Day& day) { day.server_.max_user_connections = 0; }

    static void rush(Day& day) { day.rush_ = 60; }

    // Other applications hold everything; ours are not to be seen by their users.
    static void others_take_all(Day& day) {
        day.server_.others = day.server_.max_connections - day.server_.ours_in_all - 1 + 1000;
    }
    static void others_leave(Day& day) { day.server_.others = 10; }
    static void served_again(Day& day) { expect_waiting_below(day, 50, "half a minute after the others left"); }

    static void slow_opens(Day& day) {
        day.lose_all();
        day.server_.up = true;
        day.server_.open_takes = 0.4;
    }
    static void slow_statements(Day& day) {
        day.rush_ = 15;
        day.server_.statements_take = 60;
    }
    static void grant_privileges(Day& day) { day.shell_.new_generation(day.now_); }
    static void pause(Day& day) { day.shell_.set_mode(pool::Mode::paused, day.now_); }
    static void resume(Day& day) { day.shell_.set_mode(pool::Mode::running, day.now_); }
    static void drain(Day& day) {
        day.over_ = true;
        day.shell_.set_mode(pool::Mode::draining, day.now_);
    }
    static void drained(Day& day) {
        day.expect(pool(day).waiting() == 0, "somebody waits in a drained pool");
        day.expect(day.seats_ > 10'000, "hardly anybody had a slot");
        day.expect(day.seats_refused_ * 1000 <= day.seats_, "the server refused those who held a slot");
        day.expect(day.shell_.connections().size() == pool(day).active(), "a drained pool keeps idle connections");
    }
};

const std::vector<Day::Scene>& Day::plot() {
    using S = Scenes;
    static const std::vector<Scene> scenes{
        {1h + 150s, S::crash},
        {1h + 155s, S::back},
        {1h + 156500ms, S::works_again},
        {1h + 32min, S::crash},
        {1h + 33min + 30s, S::back},
        {1h + 33min + 31500ms, S::works_again},
        {2h + 120s, S::freeze},
        {2h + 140s, S::thaw},
        {2h + 148s, S::works_again},
        {3h, S::block_host},
        {3h + 90s, S::flush_hosts},
        {3h + 151s, S::unblocked},
        {4h, S::deny_api},
        {4h + 10min, S::admit_api},
        {6h, S::shrink},
        {6h + 3s, S::shrunk},
        {6h + 10min, S::grow},
        {6h + 11min, S::grown},
        {6h + 15min, S::calm},
        {8h, S::limit_web},
        {8h + 3s, S::web_limited},
        {8h + 10min, S::free_web},
        {8h + 11min, S::web_free},
        {8h + 15min, S::calm},
        {10h, S::limit_all},
        {10h + 10min, S::free_all},
        {12h, S::rush},
        {12h + 10min, S::calm},
        {14h, S::others_take_all},
        {14h + 2min, S::others_leave},
        {14h + 2min + 30s, S::served_again},
        {16h, S::slow_opens},
        {16h + 10min, S::calm},
        {18h, S::slow_statements},
        {18h + 10min, S::calm},
        {20h, S::grant_privileges},
        {20h + 1min, S::grant_privileges},
        {20h + 1min + 1s, S::grant_privileges},
        {22h + 120s, S::pause},
        {22h + 125s, S::resume},
        {22h + 127s, S::works_again},
        {23h + 59min, S::drain},
        {23h + 59min + 59s, S::drained},
    };
    return scenes;
}

}  // namespace tidegate::sim
