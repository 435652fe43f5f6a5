#include "watch/blot.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/letters.h"
#include "watch/interpreter.h"

namespace tidegate::watch {
namespace {

constexpr auto kNowhere = std::string_view::npos;
constexpr std::array<std::string_view, 12> kSecretWords{"pass",       "pwd",        "secret",     "token",
                                                        "credential", "identified", "apikey",     "api_key",
                                                        "api-key",    "accesskey",  "access_key", "access-key"};
// Their -p takes a password, in the same word or in the next.
constexpr std::array<std::string_view, 14> kPasswordPrograms{
    "mysql", "mariadb", "mycli",      "mytop",       "innotop",      "mydumper", "myloader",
    "pt-",   "sshpass", "xtrabackup", "mariabackup", "innobackupex", "maxctrl",  "sysbench"};
constexpr std::string_view kFlagsWithValue = "uhPDSeOo#";  // of the mysql programs: the rest of the word is theirs
constexpr std::string_view kBlanks = " \t\r\n\v\f";
constexpr int kDeepest = 6;  // lines within lines: ssh host "sh -c 'mysql -p..'"

std::string_view base_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool is_password_program(std::string_view word) {
    const auto base = base_of(word);
    return std::ranges::any_of(kPasswordPrograms, [&](std::string_view name) { return base.starts_with(name); });
}

bool is_word_part(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// Where the value begins that follows `secret`, which stands at `at`; nowhere: it has none in this argument.
std::size_t value_after(std::string_view low, std::string_view secret, std::size_t at) {
    auto end = at + secret.size();
    while (end < low.size() && is_word_part(low[end])) ++end;
    const auto next = low.find_first_not_of("\"'`]) \t", end);
    if (next == kNowhere) return kNowhere;
    if (secret == "identified" && next > end) return next;  // IDENTIFIED BY, in a statement
    return std::string_view("=:(,").contains(low[next]) ? next + 1 : kNowhere;
}

// Where the first value begins that follows a word like "password"; nowhere: there is none.
std::size_t value_in(std::string_view low) {
    std::size_t first = kNowhere;
    for (const auto secret : kSecretWords) {
        for (auto at = low.find(secret); at < first; at = low.find(secret, at + 1)) {
            first = std::min(first, value_after(low, secret, at));
        }
    }
    return first;
}

bool has_secret_word(std::string_view low) {
    return std::ranges::any_of(kSecretWords, [&](std::string_view secret) { return low.contains(secret); });
}

void blot_value(std::string& word) {
    const auto value = value_in(lower(word));
    if (value < word.size()) word.replace(value, std::string::npos, kBlot);
}

// scheme://user:X@host, user:X@tcp(host): from the first colon to the last @.
void blot_in_address(std::string& word) {
    const auto scheme = word.find("://");
    const auto colon = word.find(':', scheme == std::string::npos ? 0 : scheme + 3);
    const auto at = word.rfind('@');
    if (at == std::string::npos || colon == std::string::npos || colon > at) return;
    word.replace(colon + 1, at - colon - 1, kBlot);
}

// -pX; -BNpX for the mysql programs. A short number behind another program's -p is a port.
void blot_short_flag(std::string& word, bool of_password_program) {
    constexpr std::size_t kPortDigits = 5;
    if (word.size() < 2 || word[0] != '-' || word[1] == '-') return;
    std::size_t at = 1;
    while (of_password_program && at < word.size() && word[at] != 'p' &&
           std::isalnum(static_cast<unsigned char>(word[at])) != 0 && !kFlagsWithValue.contains(word[at])) {
        ++at;
    }
    if (at >= word.size() || word[at] != 'p' || at + 1 == word.size()) return;
    const auto value = std::string_view(word).substr(at + 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool port = !of_password_program && value.size() <= kPortDigits && std::ranges::all_of(value, is_digit);
    if (!port) word.replace(at + 1, std::string::npos, kBlot);
}

// -u user:X
void blot_user(std::string& word) {
    const auto colon = word.find(':');
    if (colon != std::string::npos && !word.contains("://")) word.replace(colon + 1, std::string::npos, kBlot);
}

// Whether the next word may be a password because of this one.
bool announces_password(std::string_view word, bool of_password_program, bool of_redis) {
    if (word == "-p") return of_password_program;
    if (word == "-a") return of_redis;
    const std::string low = lower(word);
    if (value_in(low) < low.size()) return false;  // it is in this word
    if (low.starts_with('-')) return has_secret_word(low);
    // "password", "requirepass", "password:", {"password":, PASSWORD=
    const auto end = low.find_last_not_of("\"'`=:(,>");
    const auto bare = end == kNowhere ? std::string_view() : std::string_view(low).substr(0, end + 1);
    const bool open = bare.size() < low.size();
    return std::ranges::any_of(kSecretWords, [&](std::string_view secret) {
        return bare.ends_with(secret) || bare == "password" || bare == "passwd" || (open && bare.contains(secret));
    });
}

// What may stand between a name and its value: PASSWORD = 'x', IDENTIFIED WITH y BY 'x'.
bool is_joint(std::string_view word) {
    constexpr std::array<std::string_view, 4> kJoints{"=", ":", "=>", "("};
    return std::ranges::find(kJoints, word) != kJoints.end();
}

// At blanks that are outside of quotes and not behind a backslash. The quotes stay.
std::vector<std::string> shell_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    char quote = '\0';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote == '\0' && kBlanks.contains(c)) {
            if (!word.empty()) words.push_back(std::move(word));
            word.clear();
            continue;
        }
        word += c;
        if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
            word += line[++i];
        } else if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '\'' || c == '"') {
            quote = c;
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

void blot(std::vector<std::string>& words, int depth);

// A line, or what is a line within quotes.
std::string blot_line(std::string_view line, int depth) {
    if (depth > kDeepest) return std::string(kBlot);
    auto words = shell_words(line);
    blot(words, depth);
    std::string text;
    for (const auto& word : words) {
        if (!text.empty()) text += ' ';
        text += word;
    }
    return text;
}

// A word with blanks may be a line itself: ssh host "mysql -pX".
void blot_inside(std::string& word, int depth) {
    if (word.find_first_of(kBlanks) == std::string::npos) return;
    if (shell_words(word).size() > 1) {
        word = blot_line(word, depth + 1);
        return;
    }
    const auto first = word.find_first_of("'\"");
    if (first == std::string::npos) return;
    const auto last = std::max(word.rfind(word[first]), first + 1);
    const auto end = std::min(last, word.size());
    word = word.substr(0, first + 1) + blot_line(std::string_view(word).substr(first + 1, end - first - 1), depth + 1) +
           word.substr(end);
}

// IDENTIFIED WITH y BY 'x', SET PASSWORD FOR u = 'x': the value may be any word from here on.
bool hides_the_rest(std::string_view word, bool secret) {
    const std::string low = lower(word);
    return low.ends_with("identified") || (secret && low == "for");
}

// Program text may have a password anywhere: php -r 'new PDO($dsn, "app", "secret")', and further -e beside it. A
// shell's is a line of words; which words are, is the result. In a line, text without quotes goes on to the end.
std::vector<bool> hide_program_text(std::vector<std::string>& words, bool in_line) {
    constexpr std::string_view kHidden = "...";
    const auto as_they_were = words;
    std::vector<bool> lines(words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
        const Run run = run_of(std::span(as_they_were).subspan(i));
        const auto at = i + run.at;
        if (run.what != Run::What::code || at >= words.size()) continue;
        if (is_shell(as_they_were[i])) {
            lines[at] = true;
            continue;
        }
        const auto& text = as_they_were[at];
        if (in_line && run.from == 0 && !text.starts_with('\'') && !text.starts_with('"')) words.resize(at + 1);
        words[at] = text.substr(0, std::min(run.from, text.size())).append(kHidden);
        for (auto next = at + 1; next < words.size(); ++next) {
            if (as_they_were[next - 1] == "-e" || as_they_were[next - 1] == "-E") words[next] = kHidden;
        }
    }
    return lines;
}

// What the words say of those behind them, whatever becomes of themselves.
struct Announced {
    std::vector<bool> secret;  // the next one
    std::vector<bool> rest;    // all that follow
    bool password_program = false;
};

Announced announced_by(const std::vector<std::string>& words) {
    Announced all;
    all.password_program = std::ranges::any_of(words, is_password_program);
    const bool redis = std::ranges::any_of(words, [](const auto& word) { return base_of(word) == "redis-cli"; });
    bool secret = false;
    for (const auto& word : words) {
        all.rest.push_back(hides_the_rest(word, secret));
        secret = announces_password(word, all.password_program, redis) || (secret && is_joint(word));
        all.secret.push_back(secret);
    }
    return all;
}

void blot(std::vector<std::string>& words, int depth) {
    const Announced announced = announced_by(words);
    const auto lines = hide_program_text(words, depth > 0);
    bool user = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto& word = words[i];
        if (announced.rest[i]) {
            words.resize(i + 1);
            words.emplace_back(kBlot);
            return;
        }
        if (i > 0 && announced.secret[i - 1]) {
            if (!is_joint(word)) word = kBlot;
            user = false;
            continue;
        }
        const bool has_user = user || word.starts_with("-u") || word.starts_with("--user=");
        user = word == "-u" || word == "--user";
        if (!lines[i] || word.find_first_of(kBlanks) == std::string::npos) blot_value(word);
        blot_inside(word, depth);
        blot_in_address(word);
        blot_short_flag(word, announced.password_program);
        if (has_user) blot_user(word);
    }
}

}  // namespace

void blot_passwords(std::vector<std::string>& words) {
    blot(words, 0);
}

}  // namespace tidegate::watch
