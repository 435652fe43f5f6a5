#include "watch/top_help.h"

#include <array>

namespace tidegate::watch {
namespace {

constexpr std::array<const char*, 31> kHelp{
    "tidegate top: who holds the server's connections, and the gate's own picture",
    "",
    "q               quit",
    "? h F1          this page",
    "Tab  1 2 3 4    pages: connections, gate, slots, fleet",
    "",
    "Up Down j k     move                     PgUp PgDn  a screen",
    "Home End g G    first, last",
    "< > s           choose the column to sort by",
    "r               the other way round",
    "/               filter: shows the rows in which the text occurs",
    "Esc             clears the filter",
    "i               hides those that sleep, and shows them again",
    "Enter           the whole row: statement, program, folder",
    "",
    "K F9            end the connection; asks first",
    "X               stop only its statement; asks first",
    "",
    "Space           pause, and go on",
    "+ -  d          look less often, more often; type the seconds",
    "Ctrl-L          draw the screen anew",
    "",
    "A connection is looked at once more before it is ended: one that has",
    "woken, or that is another by now, is left alone. Replication, binary-log",
    "dumps, the server's own threads, a gate's pool and Tidegate itself are",
    "never ended. Each end leaves a line in ~/.local/state/tidegate/kills.log.",
    "",
    "TIME is how long it has slept or worked, TRX how long its transaction",
    "has been open. Quiet rows sleep; marked ones sleep in a transaction",
    "or work for more than a minute.",
    "Up, Down and Page keys scroll; any other key closes this page.",
};

}  // namespace

std::span<const char* const> top_help() {
    return kHelp;
}

}  // namespace tidegate::watch
