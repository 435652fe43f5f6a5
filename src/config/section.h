// One table of tidegate.toml, read key by key: each read() checks type and range, and finish() reports the keys that
// nobody asked for. Internal to config/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/source.h"
#include "config/toml.h"

namespace tidegate::config {

// The problems found in one file.
class Report {
public:
    explicit Report(std::string file) : file_(std::move(file)) {}
    void problem(const toml::source_region& where, std::string message) { problems.push_back(at(where, message)); }
    void problem(std::string message) { problems.push_back({file_, 0, 0, std::move(message)}); }
    void warning(const toml::source_region& where, std::string message) { warnings.push_back(at(where, message)); }
    // Remembers where a key was, for problems that are seen later: `key` as people write it, "[api] address".
    void note(std::string key, const toml::source_region& where) { places_[std::move(key)] = where; }
    // At the key's place when it was in the file, else without a place.
    void problem_of(const std::string& key, std::string message) {
        const auto place = places_.find(key);
        if (place != places_.end())
            problem(place->second, std::move(message));
        else
            problems.push_back({.message = std::move(message)});
    }
    void warning_of(const std::string& key, std::string message) {
        const auto place = places_.find(key);
        if (place != places_.end())
            warning(place->second, std::move(message));
        else
            warnings.push_back({.message = std::move(message)});
    }
    [[nodiscard]] const std::string& file() const { return file_; }

    std::vector<Problem> problems;
    std::vector<Problem> warnings;
    bool has_password = false;  // in the file itself, not in one that it names

private:
    [[nodiscard]] Problem at(const toml::source_region& where, std::string& message) const {
        return {file_, where.begin.line, where.begin.column, std::move(message)};
    }
    std::string file_;
    std::map<std::string, toml::source_region> places_;
};

struct Range {
    Duration min;
    Duration max;
    bool may_be_off = false;  // "off" and 0 give 0
};

struct OrOff {};  // "off" and 0 give 0, where a missing key gives nothing

class Section {
public:
    // `name` as people write it: "[pool]", "[[user]]".
    Section(const toml::table& table, std::string name, Report& report);

    // Each leaves `to` alone when the key is missing, or wrong and reported.
    void read(std::string_view key, std::string& to);
    void read(std::string_view key, bool& to);
    void read(std::string_view key, unsigned& to, unsigned min, unsigned max);
    void read(std::string_view key, std::optional<unsigned>& to, unsigned min, unsigned max);  // or "auto"
    void read(std::string_view key, Duration& to, Range range);
    void read(std::string_view key, std::optional<Endpoint>& to);  // or "off"
    void read(std::string_view key, std::vector<std::string>& to);
    void read(std::string_view key, std::optional<unsigned>& to, unsigned min, unsigned max, OrOff);
    void read_command(std::string_view key, std::vector<std::string>& to);
    void read_size(std::string_view key, std::uint64_t& to);  // "off" gives 0
    template <class Parse, class T>
    void read_choice(std::string_view key, T& to, Parse&& parse, std::string_view choices) {
        std::string text;
        if (!read_text(key, text)) return;
        if (auto value = parse(text))
            to = *value;
        else
            wrong(key, std::string("must be one of ").append(choices));
    }
    // A table inside this one ("match"); nullptr: missing, or wrong and reported.
    [[nodiscard]] const toml::table* table(std::string_view key);

    [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
    // "`key` in [section] <message>", at the key's value, or at the section when it is missing.
    void wrong(std::string_view key, std::string message);
    void warn(std::string_view key, std::string message);
    // Reports every key that was not read.
    void finish();

private:
    [[nodiscard]] const toml::node* node(std::string_view key);
    [[nodiscard]] bool read_text(std::string_view key, std::string& to);  // true: there was one
    [[nodiscard]] toml::source_region place(std::string_view key) const;
    void number(std::string_view key, const toml::node& node, unsigned& to, unsigned min, unsigned max);

    const toml::table& table_;
    std::string name_;
    Report& report_;
    std::vector<std::string_view> known_;
};

}  // namespace tidegate::config
