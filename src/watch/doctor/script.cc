#include "watch/doctor/script.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <map>

#include "watch/doctor/words.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::size_t kWidth = 95;

// A sentence as comments: whatever is in it, none of it is a statement.
std::string comment(const std::string& sentence) {
    if (sentence.empty()) return "";
    std::string lines;
    std::string line = "--";
    for (std::size_t at = 0; at < sentence.size();) {
        const auto end = std::min(sentence.find_first_of(" \r\n", at), sentence.size());
        if (line.size() > 2 && line.size() + 1 + (end - at) > kWidth) {
            lines += line + "\n";
            line = "--";
        }
        line += " " + sentence.substr(at, end - at);
        at = end + 1;
    }
    return lines + line + "\n";
}

class Writer {
public:
    explicit Writer(std::string server) : server_(std::move(server)) {}

    void add(const Finding& finding) {
        std::string statements;
        for (const auto& change : finding.changes) statements += one(finding, change);
        if (statements.empty()) return;
        fix_ += comment(fmt::format("{} ({}): {}", finding.id, name_of(finding.severity), finding.title));
        fix_ += comment(finding.reason);
        fix_ += comment("Costs: " + finding.cost);
        fix_ += statements + "\n";
    }

    [[nodiscard]] Script finish(const Looks& looks, const std::string& file) const {
        const auto& now = looks.second;
        const auto head = [&](const char* what) {
            return comment(fmt::format("{} {} ({} {}), written by tidegate doctor on {:%Y-%m-%d %H:%M} UTC.", what,
                                       server_, now.flavour == Flavour::mysql ? "MySQL" : "MariaDB", now.version,
                                       fmt::gmtime(std::chrono::system_clock::to_time_t(now.taken))));
        };
        Script script;
        script.changes = changes_;
        script.fix = head("What would mend") +
                     comment("Nothing of it has been executed. Read it, take out what you do not want, then:") +
                     comment(fmt::format("    mariadb -u root < {}      (or mysql)", file)) +
                     comment(fmt::format("What undoes it: {}.undo", file)) + "\n" +
                     (changes_ == 0 ? comment("There is nothing that a statement would mend.") + "\n" : "") + fix_;
        script.undo =
            head("What undoes the changes for") + comment("The values are those of that moment.") + "\n" + undo_;
        if (!options_.empty()) {
            script.fix +=
                comment("For the option file, under [mysqld] (SET GLOBAL holds only until a restart):") + options_;
            script.undo += "\n" + comment("In the option file, under [mysqld], there was:") + options_undo_;
        }
        return script;
    }

private:
    std::string one(const Finding& finding, const Change& change) {
        const auto [at, added] = by_.try_emplace(change.what, finding.id);
        if (!added) return comment(fmt::format("{}: see {}, above", change.what, at->second));
        const bool optional = finding.severity == Severity::info;
        if (!change.option.empty()) {
            options_ += comment(fmt::format("    {}", change.option) + (optional ? "      # if you like" : ""));
            options_undo_ += comment(fmt::format("    {}", change.option_undo));
        }
        if (change.statement.empty()) return comment(fmt::format("takes a restart: {} (below)", change.option));
        if (optional) return comment("if you like: " + change.statement);
        ++changes_;
        if (!change.undo.empty()) undo_ = change.undo + "\n" + undo_;  // the last change is undone first
        return change.statement + "\n";
    }

    std::string server_;
    std::map<std::string, std::string> by_;  // what was changed -> the finding that did
    std::string fix_;
    std::string undo_;
    std::string options_;
    std::string options_undo_;
    std::size_t changes_ = 0;
};

}  // namespace

Script script_of(const std::vector<Finding>& findings, const Looks& looks, const std::string& server,
                 const std::string& file) {
    Writer writer(server);
    for (const auto& finding : findings) writer.add(finding);
    return writer.finish(looks, file);
}

}  // namespace tidegate::watch::doctor
