// The program: reads the command line and calls the subcommand.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/ctl_flags.h"
#include "cli/doctor_options.h"
#include "cli/kill_flags.h"
#include "cli/run_flags.h"
#include "cli/status_options.h"
#include "cli/top_options.h"
#include "cli/validate_options.h"

namespace tidegate::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  tidegate demo\n"
    "  tidegate serve --server mysql://127.0.0.1:3306\n"
    "  tidegate serve -c /etc/tidegate/tidegate.toml\n"
    "  tidegate exec -- php import.php\n"
    "  tidegate status\n"
    "\n"
    "Exit codes: 0 well, 1 attention, 2 critical, 64 usage, 69 server or gate not reachable, 75 no slot in time.\n";

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

constexpr const char* kExecExamples =
    "Examples:\n"
    "  tidegate exec -- php import.php\n"
    "      runs it as soon as one of the slots (150, or DB_CONNECTION_LIMIT) is free; waits 30 s at most\n"
    "  tidegate exec --name reports --slots 5 --wait 10m --priority 5 -- ./report.sh\n"
    "      a pool of its own; the higher priority is served first\n"
    "  */5 * * * * tidegate exec --single --name importer -- php import.php\n"
    "      one at a time on this host: while it runs, a second one says so and ends with 0\n"
    "\n"
    "Ends with the command's own exit code; 75: no slot in time; 126, 127: the command cannot be run, is not there.\n"
    "Uses the gate's slots where one runs, else a file that all processes lock. docs/slots.md.\n";

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

// The words behind the first `--`, which are a command's own; taken out of the arguments.
std::vector<std::string> command_behind_dashes(std::vector<std::string>& arguments) {
    const auto dashes = std::ranges::find(arguments, "--");
    if (dashes == arguments.end()) return {};
    std::vector<std::string> command(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
    return command;
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

void add_exec(CLI::App& app, ExecOptions& options) {
    auto* exec = app.add_subcommand("exec", "Runs a command while holding one of a limited number of slots");
    exec->footer(kExecExamples);
    exec->prefix_command();  // from the first word that is no option on, everything is the command's
    exec->add_option("--name", options.name, "The pool of slots [default]")->type_name("NAME");
    exec->add_option("--slots", options.slots,
                     "How many slots the pool has [DB_CONNECTION_LIMIT, `max` in [slots], 150]")
        ->type_name("N");
    exec->add_option("--wait", options.wait, "How long to wait for one [30s]")->type_name("TIME");
    exec->add_option("--priority", options.priority, "The higher is served first [0]")
        ->type_name("N")
        ->check(CLI::Range(-1000, 1000));
    exec->add_flag("--single", options.single, "One at a time under this name; a second one ends with 0");
    exec->add_option("--hold-by", options.hold_by,
                     "process: until the command ends; tree: until all that it started have ended, too [process]")
        ->type_name("WHAT")
        ->check(CLI::IsMember({"process", "tree"}));
    exec->add_flag("-v,--verbose", options.verbose, "Say when a slot is waited for, taken and given back");
    exec->add_option("-c,--config", options.config_file, "The configuration file")->type_name("FILE");
}

void add_slots(CLI::App& app, SlotsOptions& options) {
    auto* slots = app.add_subcommand("slots", "Who holds slots: active, waiting, peak, and each holder");
    slots->footer("Exit codes: 0 well, 1 somebody waits, 2 the slots cannot be read.\n");
    slots->add_option("name", options.name, "Only this pool")->type_name("NAME");
    slots->add_option("--every", options.every, "Again and again, so often")->type_name("TIME");
    slots->add_flag("--json", options.json, "For programs; with --every an object a line");
    slots->add_option("-c,--config", options.config_file, "The configuration file")->type_name("FILE");
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
    ExecOptions exec_options;
    SlotsOptions slots_options;
    add_exec(app, exec_options);
    add_slots(app, slots_options);
    RunOptions run_options;
    add_run(app, run_options);
    CtlOptions ctl_options;
    add_ctl(app, ctl_options);
    StatusOptions status_options;
    add_status(app, status_options);
    ValidateOptions validate_options;
    add_validate(app, validate_options);
    KillOptions kill_options;
    add_kill(app, kill_options);
    TopOptions top_options;
    add_top(app, top_options);
    DoctorOptions doctor_options;
    add_doctor(app, doctor_options);

    auto arguments = take_arguments(argc, argv);
    const auto command = command_behind_dashes(arguments);
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
    if (app.got_subcommand("exec")) {
        exec_options.command = app.get_subcommand("exec")->remaining();
        exec_options.command.insert(exec_options.command.end(), command.begin(), command.end());
        return exec(exec_options);
    }
    if (app.got_subcommand("run")) {
        run_options.command = app.get_subcommand("run")->remaining();
        run_options.command.insert(run_options.command.end(), command.begin(), command.end());
        return run_fleet(run_options);
    }
    if (app.got_subcommand("slots")) return slots(slots_options);
    if (app.got_subcommand("ctl")) return ctl(ctl_options);
    if (app.got_subcommand("status")) return status(status_options);
    if (app.got_subcommand("validate")) return validate(validate_options);
    if (app.got_subcommand("top")) return top(top_options);
    if (app.got_subcommand("doctor")) return doctor(doctor_options);
    if (app.got_subcommand("kill")) return kill_command(kill_options);
    std::fputs("tidegate: a command is needed, such as serve or demo; see tidegate --help\n", stderr);
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
