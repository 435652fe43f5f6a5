// Programs of this host that run twice though they look single: a cron job that overlaps itself, a second import.
//
// Workers are many by design, so only what is named like a single thing counts, in two or three copies that were there
// at both looks.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "watch/doctor/checks.h"
#include "watch/doctor/words.h"
#include "watch/holders.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::size_t kMostCopies = 3;
constexpr std::array kSingle = {"cron",     "import",    "importer", "sync",
                                "schedule", "scheduler", "backup",   "orchestrator"};
constexpr std::array kMany = {"worker", "workers", "queue", "pool", "consumer", "consume", "serve", "server", "child"};

// The words of a command line: "php artisan schedule:run" has schedule and run, "importOrders.js" import and orders.
std::vector<std::string> words_in(std::string_view text) {
    std::vector<std::string> words(1);
    char last = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = std::isalpha(byte) != 0;
        const bool hump = letter && std::isupper(byte) != 0 && std::islower(static_cast<unsigned char>(last)) != 0;
        if ((!letter || hump) && !words.back().empty()) words.emplace_back();
        if (letter) words.back() += static_cast<char>(std::tolower(byte));
        last = c;
    }
    return words;
}

template <class Names>
bool has_one_of(const std::vector<std::string>& words, const Names& names) {
    return std::ranges::any_of(words,
                               [&](const std::string& word) { return std::ranges::find(names, word) != names.end(); });
}

// By its own name, and not by the folder that it lives in.
bool looks_single(const Program& program, bool by_cron) {
    const auto words = words_in(program.name);
    if (has_one_of(words, kMany)) return false;
    return by_cron || has_one_of(words, kSingle);
}

bool one_started_the_other(const std::vector<const Program*>& copies) {
    return std::ranges::any_of(copies, [&](const Program* child) {
        return std::ranges::any_of(copies, [&](const Program* parent) { return child->parent == parent->pid; });
    });
}

// Children of one program that itself is neither cron nor a shell: a pool of workers. Only cron and init start single
// ones apart.
bool siblings(const std::vector<const Program*>& copies) {
    return std::ranges::all_of(
        copies, [&](const Program* each) { return each->parent == copies.front()->parent && each->parent > 1; });
}

}  // namespace

std::optional<Finding> runs_twice(const Looks& looks) {
    std::map<std::pair<std::string, std::string>, std::vector<const Program*>> alike;
    for (const auto& program : looks.programs) {
        if (program.pid != 0) alike[{program.command, program.folder}].push_back(&program);
    }
    const auto from_cron = [&](const Program* program) {
        return std::ranges::find(looks.by_cron, program->pid) != looks.by_cron.end();
    };
    Finding finding;
    for (const auto& [what, copies] : alike) {
        if (copies.size() < 2 || copies.size() > kMostCopies) continue;
        const bool by_cron = std::ranges::all_of(copies, from_cron);
        if (!looks_single(*copies.front(), by_cron)) continue;
        if (one_started_the_other(copies) || (siblings(copies) && !by_cron)) continue;
        std::vector<int> pids;
        for (const auto* copy : copies) pids.push_back(copy->pid);
        std::ranges::sort(pids);
        finding.severity = Severity::attention;
        finding.evidence.push_back(fmt::format("{} runs {} times in {} ({}){}", copies.front()->name, copies.size(),
                                               what.second, words_of_pids(pids), by_cron ? ", started by cron" : ""));
        finding.steps.push_back(
            fmt::format("start it so that there is only one: tidegate exec --single -- {}", what.first));
        finding.steps.push_back(fmt::format("end the younger one: kill {}", pids.back()));
    }
    if (finding.evidence.empty()) return std::nullopt;
    finding.title = "A program that looks single runs twice";
    finding.reason =
        "The same command in the same folder, each copy with connections of its own. Where cron starts it anew before "
        "the last run "
        "has ended, the copies pile up, and do the same work twice.";
    finding.cost = "Nothing, if it is meant to be single. If it is not, leave it as it is.";
    return finding;
}

}  // namespace tidegate::watch::doctor
