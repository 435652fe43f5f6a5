#include "watch/emergency.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>
#include <utility>

#include "watch/emergency_page.h"
#include "watch/holders.h"
#include "watch/kin.h"

namespace tidegate::watch {
namespace {

constexpr std::size_t kGroupsShown = 4;
constexpr std::size_t kAttemptsShown = 4;
constexpr std::size_t kCommandsShown = 2;
constexpr std::size_t kServicesShown = 2;
constexpr std::size_t kPidsInCommand = 25;  // more are left to the command of Tidegate

// What kind of emergency it is: they have different ways out.
enum class Full : std::uint8_t {
    server,   // 1040: nobody gets in
    account,  // 1203, 1226: this account does not
    hour,     // 1226 about connections per hour: ending some does not help
    away,     // it does not answer at all
};

Full kind_of(const Emergency& e) {
    if (e.failed.empty()) return Full::away;
    const auto& error = e.failed.front().error;
    if (error.code == 1040) return Full::server;
    if (error.code == 1226 && error.message.contains("per_hour")) return Full::hour;
    return is_full(error) ? Full::account : Full::away;
}

class Text : private Page {
public:
    explicit Text(const Emergency& emergency)
        : e_(emergency), kind_(kind_of(emergency)), view_(emergency.local.value_or(LocalView{})), kin_(kin_of(view_)) {}

    std::string run() {
        headline();
        attempts();
        if (kind_ == Full::away) {
            is_it_there();
        } else {
            ways_out();
        }
        if (is_likely_shared_hosting(e_)) whom_to_ask();
        if (kind_ != Full::away) {
            line("Then look again, with: tidegate status{}", flags());
            line("So that it does not come back, put a gate in front of it: tidegate serve --help");
        }
        return take();
    }

private:
    [[nodiscard]] std::string flags() const { return e_.flags.empty() ? "" : " " + e_.flags; }
    [[nodiscard]] std::string sudo() const { return e_.root ? "" : "sudo "; }
    [[nodiscard]] std::string where() const {
        return e_.server.host.empty() ? e_.server.socket : fmt::format("{}:{}", e_.server.host, e_.server.port);
    }
    [[nodiscard]] bool is_mysql() const { return view_.server && view_.server->name == "mysqld"; }
    [[nodiscard]] std::string client() const { return view_.server && !is_mysql() ? "mariadb" : "mysql"; }
    [[nodiscard]] std::string service() const { return is_mysql() ? "mysql" : "mariadb"; }
    [[nodiscard]] int code() const { return e_.failed.empty() ? 0 : e_.failed.front().error.code; }

    void headline() {
        switch (kind_) {
            case Full::server:
                line("THE SERVER IS FULL: {} gives nobody another connection (error 1040).", where());
                return;
            case Full::account:
                line("{} MAY HAVE NO MORE CONNECTIONS at {} (error {}).", e_.user, where(), code());
                line("The limit is {}.", code() == 1203 ? "the server's for each account, max_user_connections"
                                                        : "the account's own, MAX_USER_CONNECTIONS");
                line("Other accounts still get in: this one's connections are to be ended, not the server's.");
                return;
            case Full::hour:
                line("{} HAS OPENED ALL CONNECTIONS OF THIS HOUR at {} (error 1226).", e_.user, where());
                line("Ending some does not help: new ones are refused until the hour is over, or the count is reset.");
                return;
            case Full::away:
                line("{} DOES NOT ANSWER.", where());
                return;
        }
    }

    void attempts() {
        for (std::size_t i = 0; i < e_.failed.size() && i < kAttemptsShown; ++i) {
            const auto& attempt = e_.failed[i];
            line("  tried {}: {} {}", attempt.way, attempt.error.code, attempt.error.message);
        }
        if (e_.failed.size() > kAttemptsShown) line("  and {} other ways", e_.failed.size() - kAttemptsShown);
    }

    void is_it_there() {
        line("Does it run, and does it listen there?");
        command("{}systemctl status {}{}", sudo(), service(), view_.server ? "" : "      (or mysql, mysqld)");
        command("ss -tln 'sport = :{}'", e_.server.port);
        if (!kin_.empty()) end_holders();
    }

    void ways_out() {
        line("The ways out, the least harmful first:");
        if (kind_ == Full::hour) {
            reset_the_hour();
            return;
        }
        end_holders();
        restart_workers();
        end_through_login();
        restart_php();
        restart_server();
    }

    // ---- 1. what holds connections on this host

    void end_holders() {
        std::size_t seen = view_.of_unknown.size();
        for (const auto& kin : kin_) seen += kin.connections;
        if (seen == 0) {
            step("{}", e_.local ? "No program of this host holds a connection to it: look where its clients run, with"
                                : "This host's programs could not be looked at. Who holds connections to it:");
            command("tidegate kill --processes{} --program '*' --dry-run", flags());
            command("ss -tnp dport = :{}", e_.server.port);
            windows();
            return;
        }
        step("End what holds its connections. On this host {} {} held:", seen, seen == 1 ? "is" : "are");
        for (std::size_t i = 0; i < kin_.size() && i < kGroupsShown; ++i) holder(kin_[i]);
        if (kin_.size() > kGroupsShown) line("   and {} more programs", kin_.size() - kGroupsShown);
        if (!view_.of_unknown.empty()) {
            line("   {:>4}  {}", view_.of_unknown.size(),
                 e_.root ? "of programs that cannot be seen from here: in a container, perhaps"
                         : "of programs that this user may not see; root may: sudo tidegate status" + flags());
        }
        commands_for_holders();
        windows();
    }

    void holder(const Kin& kin) {
        std::string quiet;
        if (kin.longest_quiet) quiet = ", quiet for " + words_of(*kin.shortest_quiet, *kin.longest_quiet);
        line("   {:>4}  {} ({}, {}){}{}", kin.connections, kin.name, words_of_pids(kin.pids), kin.account, quiet,
             kin.spared ? "; leave it alone" : "");
    }

    void commands_for_holders() {
        std::size_t shown = 0;
        for (const auto& kin : kin_) {
            if (kin.spared || shown == kCommandsShown) continue;
            if (++shown == 1) line("   Add --dry-run to see first:");
            command("tidegate kill --processes{} --program {}", flags(), quoted(kin.name));
        }
        shown = 0;
        for (const auto& kin : kin_) {
            if (kin.spared || shown == kCommandsShown) continue;
            if (kin.pids.size() > kPidsInCommand) continue;
            ++shown;
            std::string words = "kill";
            for (const int pid : kin.pids) words += fmt::format(" {}", pid);
            command("{}", words);
        }
    }

    void windows() {
        if (e_.server.host.empty()) return;
        line("   Where a client runs on Windows:");
        command("netstat -ano | findstr :{}      (the last column is the process id)", e_.server.port);
        command("tasklist /FI \"IMAGENAME eq node.exe\"      taskkill /F /IM node.exe      taskkill /F /PID 4242");
    }

    // ---- 2. to 5.

    void restart_workers() {
        step("Restart the application's workers; the one of these that they run under:");
        command("php artisan queue:restart        supervisorctl restart all");
        command("pm2 restart all                  {}systemctl restart NAME-OF-THE-SERVICE", sudo());
    }

    // How a login is opened that has a place kept for it.
    [[nodiscard]] std::string privileged_login() const {
        if (!view_.sockets.empty()) return fmt::format("{}{} -u root -S {}", sudo(), client(), view_.sockets.front());
        const bool local = view_.server_is_here || e_.server.host.empty();
        return fmt::format("{} -u root -p -h {} -P {}", client(), local ? "127.0.0.1" : e_.server.host, e_.server.port);
    }

    void end_through_login() {
        if (kind_ == Full::account) {
            step("End its connections through another account, such as root:");
        } else {
            step("End connections through a login that has one kept for it (SUPER, CONNECTION ADMIN):");
        }
        command("{} -e 'SHOW PROCESSLIST'", privileged_login());
        command("{} -e 'KILL 42'      (the Id of one that sleeps)", privileged_login());
        if (!view_.sockets.empty()) {
            command("{}tidegate kill --idle 300 --server 'mysql://root@localhost?socket={}'", sudo(),
                    view_.sockets.front());
        }
        side_port();
    }

    void side_port() {
        const auto is_side = [&](std::uint16_t port) { return port != e_.server.port && port != 33060; };
        const auto at = std::ranges::find_if(view_.ports, is_side);
        if (kind_ != Full::server) return;
        if (at != view_.ports.end()) {
            command("{} -u root -p -h {} -P {}      (its port for administrators)", client(), e_.server.host, *at);
        } else if (!is_likely_shared_hosting(e_)) {
            line("   or by extra_port (MariaDB) or admin_port (MySQL, 33062), if it has one: -P 33062");
        }
    }

    void restart_php() {
        if (is_likely_shared_hosting(e_) && e_.php_fpm.empty()) return;
        step("Restart PHP: all requests under way are cut off.");
        for (const auto& service : e_.php_fpm | std::views::take(kServicesShown)) {
            command("{}systemctl restart {}", sudo(), service);
        }
        if (e_.php_fpm.empty()) command("{}systemctl restart php8.2-fpm      (the version that there is)", sudo());
    }

    void restart_server() {
        if (is_likely_shared_hosting(e_)) return;
        step("Restart the server, last: everybody is cut off, and what is not committed is lost.{}",
             view_.server_is_here ? "" : " On its host:");
        command("{}systemctl restart {}{}", sudo(), service(), view_.server ? "" : "      (or mysql, mysqld)");
    }

    void reset_the_hour() {
        step("Stop what opens connections all the time; a gate opens a few and keeps them: tidegate serve");
        step("Reset the count through a privileged login (RELOAD):");
        command("{} -e 'FLUSH USER_RESOURCES'", privileged_login());
        step("Raise the limit:");
        command("{} -e \"ALTER USER '{}'@'%' WITH MAX_CONNECTIONS_PER_HOUR 0\"", privileged_login(), e_.user);
    }

    // ---- shared hosting

    void whom_to_ask() {
        line("If somebody else runs this server (shared hosting), send this to their support:");
        line("     Our database account {} at {} {} with error {}:", e_.user, where(),
             kind_ == Full::away ? "gets no answer," : "is refused", code());
        if (!e_.failed.empty()) line("     \"{}\"", e_.failed.front().error.message);
        switch (kind_) {
            case Full::away:
                line("     Please tell us whether the server runs, and under which address and port.");
                return;
            case Full::hour:
                line("     Please reset its count (FLUSH USER_RESOURCES), and tell us its MAX_CONNECTIONS_PER_HOUR.");
                return;
            case Full::server:
            case Full::account:
                line("     Please end its sleeping connections, end all PHP and Node processes of our system account,");
                line("     and tell us the limits: max_connections, max_user_connections, and the account's own.");
        }
    }

    const Emergency& e_;
    Full kind_;
    LocalView view_;
    std::vector<Kin> kin_;
};

}  // namespace

bool is_likely_shared_hosting(const Emergency& emergency) {
    if (emergency.root) return false;
    return !emergency.local || !emergency.local->server_is_here || !emergency.local->server;
}

std::string emergency_text(const Emergency& emergency) {
    return Text(emergency).run();
}

}  // namespace tidegate::watch
