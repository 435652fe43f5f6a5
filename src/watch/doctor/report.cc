#include "watch/doctor/report.h"

#include <fmt/core.h>

#include <algorithm>

#include "watch/doctor/words.h"

namespace tidegate::watch::doctor {
namespace {

constexpr std::size_t kWidth = 100;
constexpr const char* kLabels = "    ";

std::string colour_of(Severity severity) {
    switch (severity) {
        case Severity::critical:
            return "\x1b[1;31m";
        case Severity::attention:
            return "\x1b[1;33m";
        case Severity::info:
            break;
    }
    return "\x1b[1m";
}

std::string heading(const Finding& finding, bool colour) {
    const auto lines =
        wrapped(fmt::format("{} [{}]", finding.title, finding.id), fmt::format("{}: ", name_of(finding.severity)));
    return colour ? fmt::format("{}{}\x1b[0m", colour_of(finding.severity), lines) : lines;
}

std::string labelled(const char* label, const std::string& text) {
    return wrapped(text, fmt::format("{}{:<9}", kLabels, label));
}

std::string text_of(const Finding& finding, bool colour) {
    std::string text = heading(finding, colour);
    for (const auto& sentence : finding.evidence) text += wrapped(sentence, fmt::format("{}- ", kLabels));
    text += labelled("why", finding.reason);
    for (const auto& change : finding.changes) {
        if (!change.statement.empty()) text += labelled("SQL", change.statement);
        if (!change.option.empty()) {
            text += labelled("option", fmt::format("{}   under [mysqld]{}", change.option,
                                                   change.statement.empty() ? ", then restart the server" : ""));
        }
        if (!change.undo.empty()) text += labelled("undo", change.undo);
        if (change.undo.empty() && !change.option_undo.empty()) text += labelled("undo", change.option_undo);
    }
    for (const auto& step : finding.steps) text += labelled("do", step);
    text += labelled("cost", finding.cost);
    text += labelled("more", fmt::format("docs/checks/{}.md", finding.id));
    return text;
}

}  // namespace

std::string wrapped(const std::string& text, const std::string& first) {
    std::string lines;
    std::string line = first;
    bool empty = true;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(' ', at), text.size());
        const auto word = text.substr(at, end - at);
        if (!empty && line.size() + 1 + word.size() > kWidth) {
            lines += line + "\n";
            line = std::string(first.size(), ' ');
            empty = true;
        }
        line += (empty ? "" : " ") + word;
        empty = false;
        at = end + 1;
    }
    return lines + line + "\n";
}

Severity worst(const std::vector<Finding>& findings) {
    auto severity = Severity::info;
    for (const auto& finding : findings) severity = std::max(severity, finding.severity);
    return severity;
}

std::string verdict_of(const Report& report) {
    const auto number = [&](Severity severity) {
        return std::ranges::count(report.findings, severity, &Finding::severity);
    };
    const auto critical = number(Severity::critical);
    const auto attention = number(Severity::attention);
    const auto info = number(Severity::info);
    std::string text = critical > 0
                           ? fmt::format("critical: {} critical, {} attention, {} to know", critical, attention, info)
                       : attention > 0 ? fmt::format("attention: {} attention, {} to know", attention, info)
                                       : fmt::format("well: nothing wrong, {} to know", info);
    return text + fmt::format("; by {}", count_of(report.checks, "check"));
}

std::string text_of(const Report& report, const Looks& looks) {
    const auto& now = looks.second;
    std::string text =
        fmt::format("{} ({} {}), {}, two looks {:.0f} s apart\n", report.server,
                    now.flavour == Flavour::mysql ? "MySQL" : "MariaDB", now.version, now.way, looks.apart());
    for (const auto& sentence : report.failed) text += wrapped(sentence, "not in: ");
    text += "\n";
    for (const auto& finding : report.findings) text += text_of(finding, report.colour) + "\n";
    if (!report.unknown.empty()) text += "What could not be checked:\n";
    for (const auto& sentence : report.unknown) text += wrapped(sentence, fmt::format("{}- ", kLabels));
    if (!report.unknown.empty()) text += "\n";
    return text + verdict_of(report) + "\n";
}

}  // namespace tidegate::watch::doctor
