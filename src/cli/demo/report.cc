#include "cli/demo/report.h"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/demo/private_server.h"

namespace tidegate::demo {
namespace {

constexpr int kLabelWidth = 44;
constexpr int kColumnWidth = 22;

struct Name {
    unsigned number;
    const char* text;
};
// What a client is told most often when a server is full.
constexpr std::array kNames{Name{1040, "too many connections"}, Name{1045, "access denied"},
                            Name{1129, "host is blocked"},      Name{1203, "max_user_connections"},
                            Name{1226, "account's limit"},      Name{2002, "cannot connect"},
                            Name{2003, "cannot connect"},       Name{2006, "server has gone away"},
                            Name{2013, "connection lost"},      Name{2026, "TLS failed"}};

std::string name_of(unsigned number, const std::string& sentence) {
    for (const auto& name : kNames) {
        if (name.number == number) return name.text;
    }
    constexpr std::size_t kLongest = 28;
    return sentence.size() > kLongest ? sentence.substr(0, kLongest) + ".." : sentence;
}

const Failure* find(const Outcome& outcome, unsigned number) {
    for (const auto& failure : outcome.failures) {
        if (failure.number == number) return &failure;
    }
    return nullptr;
}

// The rows of the table, built from the pieces; colours wrap a padded cell, so that they do not count.
class Table {
public:
    explicit Table(bool colours) : colours_(colours) {}

    void row(const std::string& label, const std::string& without, const std::string& with, const char* without_colour,
             const char* with_colour) {
        text_ +=
            fmt::format("  {:<{}}{}{}\n", label, kLabelWidth, cell(without, without_colour), cell(with, with_colour));
    }
    void row(const std::string& label, const std::string& without, const std::string& with) {
        row(label, without, with, "", "");
    }
    void line(const std::string& text) { text_ += text + "\n"; }
    [[nodiscard]] std::string take() { return std::move(text_); }
    [[nodiscard]] std::string paint(const std::string& text, const char* colour) const {
        return colours_ && *colour != 0 ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : text;
    }

private:
    [[nodiscard]] std::string cell(const std::string& text, const char* colour) const {
        return paint(fmt::format("{:>{}}", text, kColumnWidth), colour);
    }
    bool colours_;
    std::string text_;
};

constexpr const char* kRed = "31";
constexpr const char* kGreen = "32";
constexpr const char* kBold = "1";

void add_failures(Table& table, const Comparison& result) {
    std::set<unsigned> shown;
    for (const auto* outcome : {&result.without, &result.with}) {
        for (const auto& failure : outcome->failures) {
            if (!shown.insert(failure.number).second) continue;
            const auto count = [&](const Outcome& in) {
                const auto* found = find(in, failure.number);
                return found == nullptr ? std::string("-") : std::to_string(found->clients);
            };
            table.row(fmt::format("  {} {}", failure.number, name_of(failure.number, failure.sentence)),
                      count(result.without), count(result.with));
        }
    }
}

nlohmann::json outcome_json(const Outcome& outcome) {
    auto failures = nlohmann::json::array();
    for (const auto& failure : outcome.failures) {
        failures.push_back({{"errno", failure.number},
                            {"name", name_of(failure.number, failure.sentence)},
                            {"clients", failure.clients},
                            {"message", failure.sentence}});
    }
    return {{"clients", outcome.clients},      {"succeeded", outcome.succeeded},  {"failed", outcome.failed()},
            {"failures", std::move(failures)}, {"seconds", outcome.seconds},      {"p50_ms", outcome.median_ms},
            {"p99_ms", outcome.p99_ms},        {"peak_connections", outcome.peak}};
}

}  // namespace

bool promise_held(const cli::DemoOptions& options, const Outcome& with) {
    return with.failed() == 0 && with.clients == options.clients && with.peak <= options.connections + 1;
}

std::string table(const cli::DemoOptions& options, const Comparison& result, bool colours) {
    const auto& [version, without, with] = result;
    const bool held = promise_held(options, with);
    const auto number = [](unsigned n) { return std::to_string(n); };
    const auto time = [](double s) { return fmt::format("{:.2f} s", s); };
    const auto ms = [](const Outcome& o) {
        return o.succeeded == 0 ? std::string("-") : fmt::format("{:.0f} / {:.0f} ms", o.median_ms, o.p99_ms);
    };
    const auto failed_colour = [](const Outcome& o) { return o.failed() > 0 ? kRed : kGreen; };

    Table t(colours);
    t.line("");
    t.row("", "straight to it", "through Tidegate", kBold, kBold);
    t.row("clients at once", number(without.clients), number(with.clients));
    t.row("succeeded", number(without.succeeded), number(with.succeeded), failed_colour(without), failed_colour(with));
    t.row("failed", number(without.failed()), number(with.failed()), failed_colour(without), failed_colour(with));
    add_failures(t, result);
    t.row("until the last had its answer", time(without.seconds), time(with.seconds));
    t.row("a client that succeeded took, median / p99", ms(without), ms(with));
    t.row("connections at the server, at most", number(without.peak), number(with.peak));
    t.row("  of", fmt::format("{} (+1 for root)", kServerLimit), fmt::format("{} (+1 monitor)", options.connections));
    t.line("");
    if (held) {
        t.line(t.paint(
            fmt::format("All {} clients were served with {} server connections.", with.clients, options.connections),
            kGreen));
    } else {
        t.line(t.paint("The gate did not hold its promise: please report this with the table above.", kRed));
    }
    t.line(
        "Try it on your own server:  tidegate serve --server mysql://127.0.0.1:3306    and let your programs "
        "connect to port 6306");
    return t.take();
}

std::string json(const cli::DemoOptions& options, const Comparison& result) {
    const nlohmann::json all = {{"server", result.server_version},         {"max_connections", kServerLimit},
                                {"gate_connections", options.connections}, {"without", outcome_json(result.without)},
                                {"with", outcome_json(result.with)},       {"ok", promise_held(options, result.with)}};
    return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

ProgressLine::ProgressLine(std::FILE* to) : to_(to) {
    const char* kind = std::getenv("TERM");
    terminal_ = isatty(fileno(to)) == 1 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

void ProgressLine::step(const std::string& text) {
    step_ = text;
    std::fputs((terminal_ ? "\r\x1b[K" + text : text + "\n").c_str(), to_);
    std::fflush(to_);
}

void ProgressLine::count(const Progress& progress, unsigned clients) {
    if (!terminal_) return;
    constexpr unsigned kBar = 30;
    const unsigned good = progress.succeeded;
    const unsigned bad = progress.failed;
    const auto bar = [&](unsigned n) { return clients == 0 ? 0 : n * kBar / clients; };
    fmt::print(to_, "\r\x1b[K{:<28} [\x1b[32m{:#<{}}\x1b[31m{:x<{}}\x1b[0m{:<{}}] {} succeeded, {} failed, {} to go",
               step_, "", bar(good), "", bar(bad), "", kBar - bar(good) - bar(bad), good, bad, clients - good - bad);
    std::fflush(to_);
}

void ProgressLine::clear() {
    if (terminal_ && !step_.empty()) fmt::print(to_, "\r\x1b[K");
    std::fflush(to_);
    step_.clear();
}

}  // namespace tidegate::demo
