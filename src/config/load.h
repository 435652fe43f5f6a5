// From what the operator wrote to a Config: tidegate.toml, flags, the environment, .env and ~/.my.cnf, in. Pure: files
// are read through a function that is handed in. Everything that is wrong is reported at once, each with its place.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/source.h"

namespace tidegate::config {

struct FileText {
    std::string text;
    bool open_to_all = false;  // others than its owner and group may read it
};
// The text of a file, or a sentence's end that says why not ("no such file").
using ReadFile = std::function<Result<FileText>(const std::string& path)>;

// As given on the command line; empty: not given.
struct Flags {
    std::string server{};
    std::string listen{};
    std::string api{};
    std::string max_connections{};
    std::string log_level{};
    std::string log_format{};
};

struct Inputs {
    std::string config_file;  // empty: none
    Flags flags;
    Environment environment = [](std::string_view) { return std::nullopt; };
    std::string dot_env;  // files that need not exist; empty: not looked for
    std::string my_cnf;
    ReadFile read;
    bool server_may_be_missing = false;  // then it is the one on this host, at its usual address
};

struct Loaded {
    Config config;
    std::string server_from;  // what named the server: "--server", "the environment", ..
    std::vector<Problem> warnings;
};

[[nodiscard]] std::expected<Loaded, std::vector<Problem>> load(const Inputs& inputs);

// What commands that need no server take from the same places: [slots], and DB_CONNECTION_LIMIT as its `max`.
[[nodiscard]] std::expected<Slots, std::vector<Problem>> load_slots(const Inputs& inputs);

}  // namespace tidegate::config
