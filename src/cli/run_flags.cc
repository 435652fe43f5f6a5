#include "cli/run_flags.h"

#include <CLI/CLI.hpp>

namespace tidegate::cli {
namespace {

constexpr const char* kRunExamples =
    "Examples:\n"
    "  tidegate run --workers 1000 -- php scraper.php {id}\n"
    "      started 150 at a time, 2 s apart; ends when all have ended\n"
    "  tidegate run --workers 8 --restart always --job-line '^done' -- php worker.php\n"
    "      each worker is replaced after 100 jobs or an hour, between two jobs\n"
    "  seq 10000 | tidegate run --jobs - --workers 100 --journal sent.journal -- php send.php {}\n"
    "      a line is a job; interrupted, the same command goes on where it was\n"
    "  tidegate run --single import -- php import.php\n"
    "      one on this host, whoever starts it\n"
    "\n"
    "SIGTERM ends in order, a second one at once; SIGHUP replaces all workers, SIGTTIN and SIGTTOU add and remove "
    "one.\n"
    "Exit codes: 0 all ended well, 1 some failed, 2 given up, 64 usage, 75 stopped before all jobs were done.\n";

}  // namespace

void add_run(CLI::App& app, RunOptions& options) {
    auto* run = app.add_subcommand("run", "A fleet of workers, or a list of jobs, at the pace that the server allows");
    run->footer(kRunExamples);
    run->prefix_command();  // from the first word that is no option on, everything is the command's
    run->add_option("--workers", options.workers, "How many; with --jobs: at once [DB_CONNECTION_LIMIT, or 1]")
        ->type_name("N");
    run->add_option("--batch", options.batch, "Started together, or auto: as many as the server has room for [150]")
        ->type_name("N");
    run->add_option("--batch-delay", options.batch_delay, "Pause between two batches [2s]")->type_name("T");
    run->add_option("--restart", options.restart, "always, on-failure or never [on-failure]")->type_name("WHEN");
    run->add_option("--max-jobs", options.max_jobs, "Replace a worker after so many jobs [100 with --restart always]")
        ->type_name("N");
    run->add_option("--max-time", options.max_time, ".. after so long [1h with --restart always]")->type_name("T");
    run->add_option("--max-rss", options.max_rss, ".. when it has more memory than that")->type_name("SIZE");
    run->add_option("--stop-timeout", options.stop_timeout, "From SIGTERM to SIGKILL [30s]")->type_name("T");
    run->add_option("--job-line", options.job_line, "A line of output that matches is the end of a job")
        ->type_name("REGEX");
    run->add_option("--jobs", options.jobs, "A line is one job, and becomes {} in the command")->type_name("FILE|-");
    run->add_option("--retries", options.retries, "How often a job that ends with 75 is tried again [5]")
        ->type_name("N")
        ->check(CLI::Range(0, 1000));
    run->add_option("--journal", options.journal, "Where finished jobs are written down")->type_name("FILE");
    run->add_option("--single", options.single, "One instance of this name on this host; a second one ends with 0")
        ->type_name("NAME");
    run->add_flag("--wait", options.wait, ".. or waits for the end of the first");
    run->add_option("--logs", options.logs, "Each worker's output into a file there")->type_name("FOLDER");
    run->add_flag("--no-prefix", options.no_prefix, "Output without the worker's number before each line");
    run->add_flag("--top", options.top, "A live screen of the workers instead of lines; needs --logs");
    run->add_flag("--json", options.json, "The account at the end as JSON");
    run->add_option("--server", options.server, "The server that --batch auto asks for its room [as for serve]")
        ->type_name("URL");
    run->add_option("--api", options.api, "The API of a running gate, asked instead of the server")
        ->type_name("HOST:PORT");
    run->add_option("--reserve", options.reserve, "Connections that --batch auto leaves to others [3]")
        ->type_name("N")
        ->check(CLI::Range(0, 100000));
}

}  // namespace tidegate::cli
