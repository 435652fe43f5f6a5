// The program: reads the command line and calls the subcommand.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace tidegate::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  tidegate demo\n"
    "  tidegate serve --server mysql://127.0.0.1:3306\n"
    "  tidegate serve -c /etc/tidegate/tidegate.toml\n"
    "\n"
    "Exit codes: 0 well, 1 attention, 2 critical, 64 usage, 69 server not reachable.\n";

constexpr const char* kServeExamples =
    "Examples:\n"
    "  tidegate serve --server mysql://127.0.0.1:3306\n"
    "      any account that the server knows, at 127.0.0.1:6306\n"
    "  tidegate serve --server mysql://monitor@db:3306 --max-connections 100    (password: DB_PASSWORD)\n"
    "      the limit is learnt and watched with the monitor's account\n"
    "  tidegate serve -c tidegate.toml --check-config\n"
    "      says what is wrong with the configuration, and starts nothing\n"
    "  * * * * * tidegate serve --ensure -c $HOME/tidegate.toml\n"
    "      in a crontab: runs in the background from now on; needs no root\n"
    "\n"
    "Without -c the first of ./tidegate.toml, ~/.config/tidegate/tidegate.toml and /etc/tidegate/tidegate.toml is "
    "read.\n"
    "SIGTERM finishes transactions and ends, SIGHUP reads the configuration again. All settings: "
    "docs/configuration.md.\n";

// Takes the arguments and blots out passwords in the original, which `ps` shows.
std::vector<std::string> take_arguments(int argc, char** argv) {
    std::vector<std::string> arguments;
    for (int i = 1; i < argc; ++i) {
        arguments.emplace_back(argv[i]);
        char* url = std::strstr(argv[i], "://");
        if (url == nullptr) continue;
        char* const account = url + 3;
        // Up to the last @: what stands before it may be a password that is not encoded as it should be.
        char* const end = std::strrchr(account, '@');
        char* const colon = std::strchr(account, ':');
        if (end == nullptr || colon == nullptr || colon > end) continue;
        std::memset(colon + 1, '*', static_cast<std::size_t>(end - colon - 1));
    }
    return arguments;
}

void add_serve(CLI::App& app, ServeOptions& options) {
    auto* serve = app.add_subcommand(
        "serve", "The gate: takes clients' connections and shares a few server connections among them");
    serve->footer(kServeExamples);
    serve->add_option("-c,--config", options.config_file, "The configuration file")->type_name("FILE");
    serve
        ->add_option("--server", options.flags.server,
                     "mysql://[user[:password]@]host[:port][/schema][?tls=..&socket=..&ca=..]")
        ->type_name("URL");
    serve->add_option("--listen", options.flags.listen, "Where clients connect [127.0.0.1:6306]")
        ->type_name("HOST:PORT");
    serve->add_option("--api", options.flags.api, "Where the HTTP API is, or off [127.0.0.1:6380]")
        ->type_name("HOST:PORT");
    serve->add_option("--max-connections", options.flags.max_connections, "Server connections at most, or auto [auto]")
        ->type_name("N");
    serve->add_option("--log-level", options.flags.log_level, "trace, debug, info, warn, error or off [info]")
        ->type_name("LEVEL");
    serve->add_option("--log-format", options.flags.log_format, "text or json [text]")->type_name("FORMAT");
    serve->add_flag("--ensure", options.ensure,
                    "Start in the background unless it already runs, and return when it serves");
    serve->add_flag("--check-config", options.check_config, "Read everything, say what is wrong, start nothing");
}

void add_demo(CLI::App& app, DemoOptions& options) {
    auto* demo = app.add_subcommand(
        "demo", "A thousand clients on a private server, without the gate and with it, side by side");
    demo->footer(
        "Starts a MariaDB in a temporary folder and leaves nothing behind. Needs mariadbd, no root, no "
        "configuration.\n");
    demo->add_option("--clients", options.clients, "Clients at once")
        ->capture_default_str()
        ->check(CLI::Range(1, 20000));
    demo->add_option("--connections", options.connections, "Server connections that the gate may have")
        ->capture_default_str()
        ->check(CLI::Range(1, 140));
    demo->add_option("--server-program", options.server_program, "The mariadbd to start")->type_name("FILE");
    demo->add_flag("--json", options.json, "The result as JSON");
}

int run(int argc, char** argv) {
    CLI::App app("Tidegate keeps a MySQL or MariaDB server from running out of connections.", "tidegate");
    app.set_version_flag("--version", "tidegate " TIDEGATE_VERSION);
    app.footer(kExamples);
    app.require_subcommand(0, 1);
    ServeOptions serve_options;
    DemoOptions demo_options;
    add_serve(app, serve_options);
    add_demo(app, demo_options);

    auto arguments = take_arguments(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
        app.parse(arguments);
    } catch (const CLI::Success& request) {  // --help, --version
        return app.exit(request);
    } catch (const CLI::ParseError& error) {
        // The sentence may repeat what was written, and with it a password.
        const std::string_view sentence = error.what();
        const bool has_url = sentence.find("://") != std::string_view::npos;
        std::fprintf(stderr, "tidegate: %s; see tidegate --help\n",
                     has_url ? "a server's URL stands where none belongs" : error.what());
        return kUsage;
    }
    if (app.got_subcommand("serve")) return serve(serve_options);
    if (app.got_subcommand("demo")) return demo(demo_options);
    std::fputs("tidegate: a command is needed, serve or demo; see tidegate --help\n", stderr);
    return kUsage;
}

}  // namespace
}  // namespace tidegate::cli

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return tidegate::cli::run(argc, argv);
    } catch (const std::exception& error) {  // while starting up: no memory, no descriptors
        std::fprintf(stderr, "tidegate: %s\n", error.what());
        return tidegate::cli::kCritical;
    }
}
