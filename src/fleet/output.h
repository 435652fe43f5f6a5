// Where the lines of workers go: to our own standard output and error, each with its worker's number before it, or to
// a file for each worker. Belongs to one thread.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fleet/crew.h"

namespace tidegate::fleet {

class Output {
public:
    struct Settings {
        bool prefix = true;              // "[17] "
        std::string folder;              // worker-17.log there; empty: to our own output
        std::string name = "worker";     // of the files
        std::function<void()> before{};  // called before something is written to our own output
    };
    // Makes the folder; an error says why it cannot be written to.
    [[nodiscard]] static Result<Output> make(Settings settings);
    Output(Output&& other) noexcept = default;
    Output& operator=(Output&& other) noexcept;
    ~Output();

    // `label` is what the prefix says; `id` names the file.
    void line(WorkerId id, std::string_view label, Stream stream, std::string_view text);
    void flush();
    void ended(WorkerId id);  // its file is closed; another line opens it again
    [[nodiscard]] const Settings& settings() const { return settings_; }

private:
    explicit Output(Settings settings) : settings_(std::move(settings)) {}
    void to_file(WorkerId id, std::string_view line);

    Settings settings_;
    std::array<std::string, 2> buffers_;  // by stream
    std::map<WorkerId, int> files_;
    bool told_ = false;  // that a file could not be written
};

}  // namespace tidegate::fleet
