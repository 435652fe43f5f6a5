#include "fleet/command.h"

namespace tidegate::fleet {
namespace {

// Left to right, so that what was filled in is not looked at again. True: `what` was there.
bool fill_in(std::string& word, std::string_view id, const std::string_view* line) {
    bool found = false;
    for (std::size_t at = 0; (at = word.find('{', at)) != std::string::npos;) {
        if (word.compare(at, 4, "{id}") == 0) {
            word.replace(at, 4, id);
            at += id.size();
        } else if (line != nullptr && word.compare(at, 2, "{}") == 0) {
            word.replace(at, 2, *line);
            at += line->size();
            found = true;
        } else {
            ++at;
        }
    }
    return found;
}

}  // namespace

std::vector<std::string> command_of_worker(const std::vector<std::string>& command, WorkerId id) {
    auto words = command;
    const auto number = std::to_string(id);
    for (auto& word : words) fill_in(word, number, nullptr);
    return words;
}

std::vector<std::string> command_of_job(const std::vector<std::string>& command, WorkerId place,
                                        std::string_view line) {
    auto words = command;
    const auto number = std::to_string(place);
    bool found = false;
    for (auto& word : words) found |= fill_in(word, number, &line);
    if (!found) words.emplace_back(line);
    return words;
}

}  // namespace tidegate::fleet
