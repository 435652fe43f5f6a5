// Programs that run other programs' text: which word of a command line is the script, and which is program text, that
// may have a password anywhere in it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tidegate::watch {

// What an interpreter was told to run.
struct Run {
    enum class What : std::uint8_t { nothing, script, module, code, server } what = What::nothing;
    std::size_t at = 0;    // of the word, from the interpreter's own on
    std::size_t from = 0;  // in that word: what stands before is the flag's (-fworker.php)
    std::string flag;      // that says so: "-f"; empty: none
};

// php, node, python3.11, /usr/bin/perl, -bash, java, ..
[[nodiscard]] bool is_interpreter(std::string_view word);
[[nodiscard]] bool is_shell(std::string_view word);

// `words` begin with an interpreter.
[[nodiscard]] Run run_of(std::span<const std::string> words);

}  // namespace tidegate::watch
