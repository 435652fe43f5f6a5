#include "config/section.h"

#include <fmt/core.h>

#include <algorithm>

#include "config/keys.h"
#include "config/values.h"

namespace tidegate::config {
namespace {

std::string_view type_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "a list";
        case toml::node_type::string:
            return "a string";
        case toml::node_type::integer:
            return "a number";
        case toml::node_type::floating_point:
            return "a number with a fraction";
        case toml::node_type::boolean:
            return "true or false";
        default:
            return "a date or time";
    }
}

// A string as it is, a number as seconds.
std::optional<Duration> duration_in(const toml::node& node) {
    if (const auto* text = node.as_string()) return parse_duration(text->get());
    if (const auto* whole = node.as_integer()) return parse_duration(fmt::format("{}", whole->get()));
    if (const auto* fraction = node.as_floating_point()) return parse_duration(fmt::format("{:.6f}", fraction->get()));
    return std::nullopt;
}

}  // namespace

Section::Section(const toml::table& table, std::string name, Report& report)
    : table_(table), name_(std::move(name)), report_(report) {}

const toml::node* Section::node(std::string_view key) {
    known_.push_back(key);
    const auto* found = table_.get(key);
    if (found != nullptr) report_.note(fmt::format("{} {}", name_, key), found->source());
    return found;
}

toml::source_region Section::place(std::string_view key) const {
    const auto* node = table_.get(key);
    return node != nullptr ? node->source() : table_.source();
}

void Section::wrong(std::string_view key, std::string message) {
    report_.problem(place(key), fmt::format("`{}` in {} {}", key, name_, message));
}

void Section::warn(std::string_view key, std::string message) {
    report_.warning(place(key), fmt::format("`{}` in {} {}", key, name_, message));
}

bool Section::read_text(std::string_view key, std::string& to) {
    const auto* found = node(key);
    if (found == nullptr) return false;
    const auto* text = found->as_string();
    if (text == nullptr) {
        wrong(key, fmt::format("must be a string in quotes, not {}", type_of(*found)));
        return false;
    }
    if (text->get().contains('\0')) {
        wrong(key, "must not have a zero byte in it");
        return false;
    }
    to = text->get();
    return true;
}

void Section::read(std::string_view key, std::string& to) {
    std::string text;
    if (!read_text(key, text)) return;
    if (text.empty())
        wrong(key, "must not be empty; leave the line out for the default");
    else
        to = std::move(text);
}

void Section::read(std::string_view key, bool& to) {
    const auto* found = node(key);
    if (found == nullptr) return;
    if (const auto* value = found->as_boolean())
        to = value->get();
    else
        wrong(key, fmt::format("must be true or false without quotes, not {}", type_of(*found)));
}

void Section::number(std::string_view key, const toml::node& found, unsigned& to, unsigned min, unsigned max) {
    const auto* value = found.as_integer();
    if (value == nullptr) {
        wrong(key, fmt::format("must be a whole number without quotes, not {}", type_of(found)));
    } else if (value->get() < min || value->get() > max) {
        wrong(key, fmt::format("must lie between {} and {}, not {}", min, max, value->get()));
    } else {
        to = static_cast<unsigned>(value->get());
    }
}

void Section::read(std::string_view key, unsigned& to, unsigned min, unsigned max) {
    if (const auto* found = node(key)) number(key, *found, to, min, max);
}

void Section::read(std::string_view key, std::optional<unsigned>& to, unsigned min, unsigned max) {
    const auto* found = node(key);
    if (found == nullptr) return;
    if (const auto* text = found->as_string()) {
        if (text->get() == "auto")
            to.reset();
        else
            wrong(key, "must be a whole number without quotes, or \"auto\"");
        return;
    }
    unsigned value = to.value_or(min);
    number(key, *found, value, min, max);
    to = value;
}

void Section::read(std::string_view key, Duration& to, Range range) {
    const auto* found = node(key);
    if (found == nullptr) return;
    const auto* text = found->as_string();
    if (range.may_be_off && text != nullptr && text->get() == "off") {
        to = {};
        return;
    }
    const auto value = duration_in(*found);
    const std::string_view or_off = range.may_be_off ? ", or \"off\"" : "";
    if (!value) {
        wrong(key,
              fmt::format("must be a time such as \"30s\", \"500ms\" or \"2m\" (a bare number is seconds){}", or_off));
    } else if (range.may_be_off && *value == Duration{}) {
        to = {};
    } else if (*value < range.min || *value > range.max) {
        wrong(key, fmt::format("must lie between {} and {}{}", text_of(range.min), text_of(range.max), or_off));
    } else {
        to = *value;
    }
}

void Section::read(std::string_view key, std::optional<Endpoint>& to) {
    std::string text;
    if (!read_text(key, text)) return;
    if (text == "off") {
        to.reset();
        return;
    }
    auto value = parse_endpoint(text);
    if (value)
        to = std::move(*value);
    else
        wrong(key, value.error().message);
}

void Section::read(std::string_view key, std::vector<std::string>& to) {
    const auto* found = node(key);
    if (found == nullptr) return;
    const auto* list = found->as_array();
    std::vector<std::string> values;
    bool good = list != nullptr;
    for (std::size_t i = 0; good && i < list->size(); ++i) {
        const auto* text = list->get(i)->as_string();
        good = text != nullptr && !text->get().empty();
        if (good) values.push_back(text->get());
    }
    if (good)
        to = std::move(values);
    else
        wrong(key, "must be a list of strings, such as [\"one\", \"two\"]");
}

void Section::read(std::string_view key, std::optional<unsigned>& to, unsigned min, unsigned max, OrOff) {
    const auto* found = node(key);
    if (found == nullptr) return;
    if (const auto* text = found->as_string()) {
        if (text->get() == "off")
            to = 0;
        else
            wrong(key, "must be a whole number without quotes, or \"off\"");
        return;
    }
    const auto* value = found->as_integer();
    unsigned read = 0;
    if (value == nullptr || value->get() != 0) number(key, *found, read, min, max);
    to = read;
}

// A list of words, or one line for the shell.
void Section::read_command(std::string_view key, std::vector<std::string>& to) {
    const auto* found = node(key);
    if (found == nullptr) return;
    if (const auto* line = found->as_string()) {
        if (trimmed(line->get()).empty() || line->get().contains('\0'))
            wrong(key, "must not be empty; it is what each worker runs");
        else
            to = {"/bin/sh", "-c", line->get()};
        return;
    }
    const auto* list = found->as_array();
    std::vector<std::string> words;
    bool good = list != nullptr && !list->empty();
    for (std::size_t i = 0; good && i < list->size(); ++i) {
        const auto* word = list->get(i)->as_string();
        good = word != nullptr && !word->get().contains('\0') && (i > 0 || !word->get().empty());
        if (good) words.push_back(word->get());
    }
    if (good)
        to = std::move(words);
    else
        wrong(key, "must be a list of words, such as [\"php\", \"worker.php\"], or one line for the shell");
}

void Section::read_size(std::string_view key, std::uint64_t& to) {
    std::string text;
    if (!read_text(key, text)) return;
    const auto size = parse_size(text);
    if (size)
        to = *size;
    else if (text == "off")
        to = 0;
    else
        wrong(key, "must be a size such as \"256M\" or \"1G\", or \"off\"");
}

const toml::table* Section::table(std::string_view key) {
    const auto* found = node(key);
    if (found == nullptr) return nullptr;
    const auto* inner = found->as_table();
    if (inner == nullptr)
        wrong(key, fmt::format("must be a table, such as {{ user = \"cron_*\" }}, not {}", type_of(*found)));
    return inner;
}

void Section::finish() {
    for (const auto& [key, value] : table_) {
        const std::string_view name = key.str();
        if (std::ranges::find(known_, name) != known_.end()) continue;
        const auto say = [&](std::string_view what) {
            report_.problem(key.source(), fmt::format("there is no setting `{}` in {}{}", name, name_, what));
        };
        const auto carried = std::ranges::find(kCarried, name, &Carried::name);
        const auto elsewhere = std::ranges::find(kKeys, name, &Key::name);
        const auto meant = nearest(name, known_);
        if (carried != kCarried.end())
            say(fmt::format(": {}", carried->instead));
        else if (elsewhere != kKeys.end())
            say(fmt::format("; it belongs to {}", elsewhere->section));
        else if (!meant.empty())
            say(fmt::format("; did you mean `{}`?", meant));
        else
            say("");
    }
}

}  // namespace tidegate::config
