#include "watch/kin.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "watch/programs.h"

namespace tidegate::watch {
namespace {

void add(Kin& kin, const LocalHolder& holder) {
    kin.pids.push_back(holder.program.pid);
    kin.connections += holder.ends.size();
    for (const auto& end : holder.ends) {
        if (!end.quiet) continue;
        kin.shortest_quiet = std::min(kin.shortest_quiet.value_or(*end.quiet), *end.quiet);
        kin.longest_quiet = std::max(kin.longest_quiet.value_or(*end.quiet), *end.quiet);
    }
}

}  // namespace

std::vector<Kin> kin_of(const LocalView& view) {
    const std::array never{view.self};
    const auto planned = plan(view, {.programs = {"*"}}, never);
    std::vector<Kin> all;
    for (const auto& holder : view.holders) {
        if (holder.program.pid == view.self) continue;
        const auto is_same = [&](const Spared& one) { return one.program.pid == holder.program.pid; };
        const bool spared = std::ranges::any_of(planned.spared, is_same);
        const auto is_alike = [&](const Kin& kin) {
            return kin.name == holder.program.name && kin.account == holder.program.account && kin.spared == spared;
        };
        auto at = std::ranges::find_if(all, is_alike);
        if (at == all.end()) {
            at = all.insert(all.end(), Kin{});
            at->name = holder.program.name;
            at->account = holder.program.account;
            at->spared = spared;
        }
        add(*at, holder);
    }
    std::ranges::sort(all, [](const Kin& a, const Kin& b) {
        return std::pair(b.connections, std::string_view(a.name)) < std::pair(a.connections, std::string_view(b.name));
    });
    for (auto& kin : all) std::ranges::sort(kin.pids);
    return all;
}

}  // namespace tidegate::watch
