#include "watch/command_line.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>

#include "watch/blot.h"
#include "watch/interpreter.h"
#include "watch/printable.h"

namespace tidegate::watch {
namespace {

using Words = std::vector<std::string>;

std::string_view base_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// Scripts that are a door to many commands: the next word says which.
constexpr std::array<std::string_view, 16> kDoors{"artisan",     "console", "manage.py", "yii",   "spark", "wp",
                                                  "wp-cli.phar", "wp-cli",  "rake",      "rails", "cake",  "cake.php",
                                                  "think",       "drush",   "celery",    "flask"};
// Programs whose first word without a dash says what they do; this one's may come behind its flags' values.
constexpr std::array<std::string_view, 3> kCommands{"dotnet", "supervisorctl", "flask"};
constexpr std::array<std::string_view, 13> kOwnCommands{"serve",  "demo", "exec",     "run", "slots",  "status", "kill",
                                                        "doctor", "top",  "validate", "ctl", "config", "work"};

// The first word behind `at` that is no flag.
std::string command_behind(const Words& words, std::size_t at) {
    for (std::size_t i = at + 1; i < words.size(); ++i) {
        if (!words[i].starts_with('-') && !words[i].empty()) return words[i];
    }
    return "";
}

bool contains(std::span<const std::string_view> list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

bool is_door(std::string_view script) {
    return contains(kDoors, base_of(script)) || script.contains("/node_modules/");
}

void name_interpreted(CommandLine& line, const Words& words, const Run& run) {
    const auto program = base_of(words.front());
    const std::string interpreter(program.starts_with('-') ? program.substr(1) : program);
    const auto run_word = run.at < words.size() ? std::string_view(words[run.at]) : std::string_view();
    const auto value = run_word.substr(std::min(run.from, run_word.size()));
    switch (run.what) {
        case Run::What::nothing:
            line.name = interpreter;
            return;
        case Run::What::code:
            line.name = fmt::format("{} {}", interpreter, run.flag);
            return;
        case Run::What::module:
        case Run::What::server:
            line.name = fmt::format("{} {} {}", interpreter, run.flag, value);
            return;
        case Run::What::script:
            break;
    }
    line.script = value;
    line.name = fmt::format("{} {}", interpreter, base_of(value));
    if (!is_door(line.script)) return;
    if (const auto command = command_behind(words, run.at); !command.empty()) line.name += " " + command;
}

void name_program(CommandLine& line, const Words& words) {
    const auto base = base_of(words.front());
    line.name = base;
    std::string command;
    if (contains(kCommands, base)) command = base_of(command_behind(words, 0));
    if (base == "tidegate") {
        const auto is_own = [](const std::string& word) { return contains(kOwnCommands, word); };
        if (const auto at = std::ranges::find_if(words, is_own); at != words.end()) command = *at;
    }
    if (!command.empty()) line.name += " " + command;
}

// A title has the whole of what the program wants to be called: "php-fpm: pool www".
bool is_title(const Words& words) {
    return words.size() == 1 && words.front().contains(' ');
}

Words split_at_blanks(std::string_view text) {
    Words words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::string joined(const Words& words) {
    std::string text;
    for (const auto& word : words) {
        if (!text.empty()) text += ' ';
        text += word;
    }
    return text;
}

void drop_empty_end(Words& words) {
    for (auto& word : words) word = printable(word);
    while (!words.empty() && words.back().empty()) words.pop_back();
    if (words.size() == 1) {  // a title is padded with blanks
        const auto end = words.front().find_last_not_of(' ');
        words.front().resize(end == std::string::npos ? 0 : end + 1);
    }
}

CommandLine read_words(Words words) {
    CommandLine line;
    const Run run = run_of(words);
    blot_passwords(words);
    line.text = joined(words);
    if (is_interpreter(words.front())) {
        name_interpreted(line, words, run.at < words.size() ? run : Run{});
    } else {
        name_program(line, words);
    }
    return line;
}

// Blanks do not tell where a word of it ended: what is behind the beginning of a program's text is text too.
CommandLine read_title(Words words) {
    blot_passwords(words);
    Words parts = split_at_blanks(words.front());
    if (!is_interpreter(parts.front())) return {.name = words.front(), .script = {}, .text = joined(words)};
    const Run run = run_of(parts);  // pm2: "node /srv/app/import.js"
    if (run.what == Run::What::code) parts.resize(run.at + 1);
    return read_words(std::move(parts));
}

}  // namespace

CommandLine read_command_line(std::vector<std::string> words, std::string_view task_name) {
    drop_empty_end(words);
    if (words.empty() || words.front().empty()) {
        const auto name = shortened(printable(task_name), kNameKept);
        return {.name = name, .script = {}, .text = name};
    }
    CommandLine line = is_title(words) ? read_title(std::move(words)) : read_words(std::move(words));
    line.name = shortened(std::move(line.name), kNameKept);
    line.script = shortened(std::move(line.script), kCommandKept);
    line.text = shortened(std::move(line.text), kCommandKept);
    return line;
}

}  // namespace tidegate::watch
