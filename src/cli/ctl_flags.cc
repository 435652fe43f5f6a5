#include "cli/ctl_flags.h"

#include <CLI/CLI.hpp>

namespace tidegate::cli {
namespace {

constexpr const char* kCtlExamples =
    "Examples:\n"
    "  tidegate ctl fleets --every 1s\n"
    "  tidegate ctl scale mail 12\n"
    "      until the next restart of the gate, or until `workers` in [[fleet]] is changed\n"
    "  tidegate ctl restart mail\n"
    "      replaces its workers, a few at a time; begins anew where it was given up\n"
    "  tidegate ctl logs mail -n 20 --follow\n"
    "\n"
    "Speaks to the gate on this host over its control socket, as the gate's own user or root; the socket is in the "
    "folder\n"
    "of the slots (TIDEGATE_SLOTS, `path` in [slots]). With --api over HTTP, with the token in TIDEGATE_API_TOKEN.\n"
    "Exit codes: 0 well, 1 a fleet was given up or has failed workers, 2 the order was not taken, 64 usage or no such "
    "fleet, 69 no gate runs.\n";

}  // namespace

void add_ctl(CLI::App& app, CtlOptions& options) {
    auto* ctl = app.add_subcommand("ctl", "Looks at the fleets of the running gate, and steers them");
    ctl->footer(kCtlExamples);
    ctl->require_subcommand(1);
    ctl->fallthrough();
    ctl->add_option("-c,--config", options.config_file, "The gate's configuration file")->type_name("FILE");
    ctl->add_option("--api", options.api, "The API of the gate, instead of its control socket")->type_name("HOST:PORT");
    ctl->add_flag("--json", options.json, "For programs");

    using What = CtlOptions::What;
    const auto add = [&](const char* name, What what, const char* about) {
        auto* command = ctl->add_subcommand(name, about);
        command->fallthrough();
        command->callback([&options, what] { options.what = what; });
        if (what != What::fleets)
            command->add_option("fleet", options.fleet, "Its name")->type_name("NAME")->required();
        return command;
    };
    add("fleets", What::fleets, "The fleets and their workers")
        ->add_option("--every", options.every, "Again and again, so often")
        ->type_name("TIME");
    add("scale", What::scale, "So many workers from now on")
        ->add_option("workers", options.workers, "How many")
        ->type_name("N")
        ->required()
        ->check(CLI::Range(0U, config::kMostWorkers));
    add("restart", What::restart, "Replaces all workers, a few at a time");
    auto* logs = add("logs", What::logs, "What the workers printed last");
    logs->add_option("-n,--lines", options.lines, "How many lines [100]")->type_name("N");
    logs->add_flag("-f,--follow", options.follow, "Goes on with what they print from now on");
}

}  // namespace tidegate::cli
