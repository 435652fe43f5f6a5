// Any bytes as configuration file, server URL, .env and option file: nothing crashes, nothing hangs, and no sentence
// about a URL repeats its password.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/load.h"
#include "config/network.h"
#include "config/url.h"
#include "config/values.h"

using namespace tidegate;

namespace {

void load(std::string_view text) {
    config::Inputs inputs;
    inputs.config_file = "folder/fuzz.toml";
    inputs.dot_env = ".env";
    inputs.my_cnf = "my.cnf";
    inputs.read = [text](const std::string&) -> Result<config::FileText> {
        return config::FileText{std::string(text)};
    };
    const auto loaded = config::load(inputs);
    if (!loaded && loaded.error().empty()) std::abort();
}

void parse(std::string_view text) {
    (void)config::parse_server_url(text);
    (void)config::parse_endpoint(text);
    (void)config::parse_duration(text);
    (void)config::Network::parse(text);
}

// A password with a mark in it, however the URL around it is broken.
void hide_password(std::string_view text) {
    constexpr std::string_view kMark = "Qx7Qx7";
    const auto middle = text.size() / 2;
    const auto url =
        std::string("mysql://u:").append(kMark).append(text.substr(0, middle)).append("@").append(text.substr(middle));
    const auto parsed = config::parse_server_url(url);
    if (!parsed && parsed.error().message.contains(kMark)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    load(text);
    parse(text);
    hide_password(text);
    return 0;
}
