#include "watch/interpreter.h"

#include <algorithm>
#include <array>

namespace tidegate::watch {
namespace {

std::string_view base_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// A program that runs scripts.
struct Interpreter {
    std::string_view name;                          // a version may follow: php8.2, python3.11
    std::string_view code_flags;                    // short ones, whose value is the program's text
    std::string_view value_flags;                   // short ones with a value in the next word (or the rest of theirs)
    std::span<const std::string_view> long_values;  // long ones with a value in the next word
    std::span<const std::string_view> long_codes;
};

constexpr std::array<std::string_view, 3> kPhpValues{"--define", "--php-ini", "--server"};
constexpr std::array<std::string_view, 1> kPhpCodes{"--run"};
constexpr std::array<std::string_view, 6> kNodeValues{
    "--require", "--import", "--loader", "--conditions", "--experimental-loader", "--env-file"};
constexpr std::array<std::string_view, 2> kNodeCodes{"--eval", "--print"};
constexpr std::array<std::string_view, 1> kPythonValues{"--check-hash-based-pycs"};
constexpr std::array<std::string_view, 9> kJavaValues{"-cp",        "-classpath",    "--class-path", "--module-path",
                                                      "-p",         "--add-modules", "--add-opens",  "--add-exports",
                                                      "--add-reads"};
constexpr std::array<std::string_view, 2> kShellValues{"--rcfile", "--init-file"};
constexpr std::array<std::string_view, 3> kDenoValues{"--config", "--import-map", "--preload"};

constexpr std::array<Interpreter, 16> kInterpreters{{
    {"php-cgi", "rBRE", "cdtz", kPhpValues, kPhpCodes},
    {"php", "rBRE", "cdtz", kPhpValues, kPhpCodes},
    {"nodejs", "ep", "rC", kNodeValues, kNodeCodes},
    {"node", "ep", "rC", kNodeValues, kNodeCodes},
    {"python", "c", "WXQ", kPythonValues, {}},
    {"pypy", "c", "WX", kPythonValues, {}},
    {"perl", "eE", "I", {}, {}},
    {"ruby", "e", "ICE", {}, {}},
    {"java", "", "", kJavaValues, {}},
    {"bash", "c", "oO", kShellValues, {}},
    {"dash", "c", "o", {}, {}},
    {"zsh", "c", "o", {}, {}},
    {"ksh", "c", "o", {}, {}},
    {"sh", "c", "oO", {}, {}},
    {"deno", "", "c", kDenoValues, {}},
    {"bun", "e", "r", kDenoValues, {}},
}};

bool is_version(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

const Interpreter* interpreter_of(std::string_view word) {
    auto base = base_of(word);
    if (base.starts_with('-')) base.remove_prefix(1);  // a login shell
    const auto fits = [&](const Interpreter& one) {
        return base.starts_with(one.name) && is_version(base.substr(one.name.size()));
    };
    const auto at = std::ranges::find_if(kInterpreters, fits);
    return at == kInterpreters.end() ? nullptr : &*at;
}

bool contains(std::span<const std::string_view> list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

// One word of flags. `next`: the flag takes the next word as well. `from`: where in this word what it runs begins.
struct Flag {
    Run::What what = Run::What::nothing;
    bool next = false;
    std::size_t from = 0;
    std::string name = {};
};

bool is_java(const Interpreter& interpreter) {
    return interpreter.name == "java";
}

Flag long_flag(const Interpreter& interpreter, std::string_view word) {
    const auto name = word.substr(0, word.find('='));
    const bool whole = name.size() == word.size();
    const auto runs = [&](Run::What what) {
        return Flag{.what = what, .next = whole, .from = whole ? 0 : name.size() + 1, .name = std::string(name)};
    };
    if (contains(interpreter.long_codes, name)) return runs(Run::What::code);
    if (interpreter.name == "php" && name == "--file") return runs(Run::What::script);
    if (is_java(interpreter) && (name == "-jar" || name == "-m" || name == "--module")) return runs(Run::What::script);
    return {.next = contains(interpreter.long_values, word)};
}

Run::What what_of(const Interpreter& interpreter, char flag) {
    const bool php = interpreter.name.starts_with("php");
    if (interpreter.code_flags.contains(flag)) return Run::What::code;
    if (flag == 'm' && (interpreter.name == "python" || interpreter.name == "pypy")) return Run::What::module;
    if (php && (flag == 'f' || flag == 'F')) return Run::What::script;
    return php && flag == 'S' ? Run::What::server : Run::What::nothing;
}

// -uB, -dmemory_limit=1, -m module, -f file, -S address.
Flag short_flags(const Interpreter& interpreter, std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
        const bool last = i + 1 == word.size();
        if (const auto what = what_of(interpreter, word[i]); what != Run::What::nothing) {
            const bool next = last || interpreter.name.ends_with("sh");  // sh -cx "..": the text is the next word
            return {.what = what, .next = next, .from = next ? 0 : i + 1, .name = {'-', word[i]}};
        }
        if (interpreter.value_flags.contains(word[i])) return {.next = last};
        // The rest of the word is the flag's own: perl -MDBI, ruby -rjson, perl -i.bak
        const bool own = interpreter.name == "perl" || interpreter.name == "ruby";
        if (own && std::string_view("MmIirxFl0").contains(word[i])) return {};
    }
    return {};
}

// deno run x.ts, @arguments of java, bash +O name
bool is_skipped(const Interpreter& interpreter, std::string_view word) {
    if (is_java(interpreter)) return word.starts_with('@');
    return (interpreter.name == "deno" || interpreter.name == "bun") && (word == "run" || word == "x");
}

bool is_flag(const Interpreter& interpreter, std::string_view word) {
    return word.starts_with('-') || (interpreter.value_flags.contains('O') && word.starts_with('+'));
}

}  // namespace

bool is_interpreter(std::string_view word) {
    return interpreter_of(word) != nullptr;
}

bool is_shell(std::string_view word) {
    const auto* const interpreter = interpreter_of(word);
    return interpreter != nullptr && interpreter->name.ends_with("sh");
}

Run run_of(std::span<const std::string> words) {
    const auto* const interpreter = words.empty() ? nullptr : interpreter_of(words.front());
    if (interpreter == nullptr) return {};
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view word = words[i];
        const bool more = i + 1 < words.size();
        if (word == "-" || word.empty()) return {};
        if (is_skipped(*interpreter, word)) continue;
        if (word == "--" && more) return {Run::What::script, i + 1, 0, {}};
        if (!is_flag(*interpreter, word)) return {Run::What::script, i, 0, {}};
        const bool is_long = word.starts_with("--") || is_java(*interpreter);
        const Flag flag = is_long ? long_flag(*interpreter, word) : short_flags(*interpreter, word);
        if (flag.what != Run::What::nothing && !flag.next) return {flag.what, i, flag.from, flag.name};
        if (flag.what != Run::What::nothing && more) return {flag.what, i + 1, 0, flag.name};
        if (flag.next) ++i;
    }
    return {};
}

}  // namespace tidegate::watch
