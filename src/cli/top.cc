// `tidegate top`: the live screen. The looks are top_feed.h's, what is shown watch/top_view.h's; here they are joined
// to the terminal.
#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/terminal_screen.h"
#include "cli/top_feed.h"
#include "cli/top_options.h"
#include "config/values.h"
#include "watch/top_view.h"

namespace tidegate::cli {
namespace {

using watch::TopAction;
using watch::TopPicture;
using watch::TopState;

volatile std::sig_atomic_t told_to_end = 0;

// SIGINT, SIGTERM, SIGHUP and SIGQUIT end the loop instead of the process, so that the terminal is given back.
class EndSignals {
public:
    EndSignals() {
        struct sigaction action{};
        action.sa_handler = [](int number) { told_to_end = number; };
        sigemptyset(&action.sa_mask);
        for (std::size_t i = 0; i < kNumbers.size(); ++i) sigaction(kNumbers[i], &action, &before_[i]);
    }
    ~EndSignals() {
        for (std::size_t i = 0; i < kNumbers.size(); ++i) sigaction(kNumbers[i], &before_[i], nullptr);
    }
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

private:
    static constexpr std::array<int, 4> kNumbers{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    std::array<struct sigaction, 4> before_{};
};

// The eventfd by which the looks tell of themselves.
class Wake {
public:
    Wake() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~Wake() {
        if (fd_ >= 0) ::close(fd_);
    }
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;
    [[nodiscard]] int fd() const { return fd_; }
    void drain() const {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
    }

private:
    int fd_;
};

struct Times {
    Duration every{};
    Duration max_idle{};
};

std::optional<Times> times_of(const TopOptions& options) {
    const auto every = config::parse_duration(options.every);
    const auto max_idle = config::parse_duration(options.max_idle);
    if (!every || *every < watch::kShortestInterval || *every > watch::kLongestInterval) {
        fmt::print(stderr, "tidegate: --every must be a time of 200ms to 1h, such as 2s, and not \"{}\"\n",
                   options.every);
        return std::nullopt;
    }
    if (!max_idle) {
        fmt::print(stderr, "tidegate: --max-idle must be a time such as 300, 300s or 5m, and not \"{}\"\n",
                   options.max_idle);
        return std::nullopt;
    }
    return Times{*every, *max_idle};
}

std::size_t number_in(const char* variable, std::size_t otherwise) {
    const char* text = std::getenv(variable);
    const auto number = text != nullptr ? watch::whole_number(text) : std::nullopt;
    return number && *number > 0 && *number <= 1000 ? static_cast<std::size_t>(*number) : otherwise;
}

int print_once(const TopPicture& picture, const TopState& state) {
    const watch::ScreenSize size{.width = std::max(number_in("COLUMNS", 80), watch::kSmallest.width),
                                 .height = number_in("LINES", 0)};
    for (const auto& line : top_lines_once(state, picture, size)) {
        std::string text;
        for (const auto& span : line) text += span.text;
        text.erase(text.find_last_not_of(' ') + 1);
        fmt::print("{}\n", text);
    }
    return kWell;
}

class Live {
public:
    Live(TopFeed& feed, TerminalScreen& screen, TopState state, const Wake& wake)
        : feed_(feed), screen_(screen), state_(std::move(state)), wake_(wake) {}

    void run() {
        while (told_to_end == 0) {
            take_news();
            screen_.draw(top_lines(state_, picture_, screen_.size()));
            if (!wait()) return;
            while (const auto key = screen_.read()) {
                if (!obey(press(state_, picture_, *key))) return;
            }
            if (!state_.paused) wants_result_ = false;
            feed_.set(state_.every, state_.paused);
        }
    }

private:
    void take_news() {
        // A look that was under way when somebody said pause is kept for later.
        if (!state_.paused || wants_result_) {
            if (const auto news = feed_.take_picture()) picture_ = *news;
        }
        if (auto said = feed_.take_said(); !said.empty()) state_.said = std::move(said);
        picture_.trouble = feed_.trouble(Clock::now());
    }

    // Until there is something to do, a second at most: what is shown has a clock. False: the terminal has gone.
    bool wait() {
        std::array<pollfd, 2> waiting{
            {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}, {.fd = wake_.fd(), .events = POLLIN, .revents = 0}}};
        if (poll(waiting.data(), waiting.size(), 1000) < 0) return errno == EINTR;
        wake_.drain();
        return (waiting[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
    }

    // False: the end.
    bool obey(TopAction action) {
        switch (action.what) {
            case TopAction::What::nothing:
                break;
            case TopAction::What::quit:
                return false;
            case TopAction::What::look:
                feed_.look_now();
                break;
            case TopAction::What::kill:
                state_.said = "on it ..";
                feed_.end(std::move(*action.victim));
                wants_result_ = true;
                break;
            case TopAction::What::redraw:
                screen_.draw_anew();
                break;
        }
        return true;
    }

    TopFeed& feed_;
    TerminalScreen& screen_;
    TopState state_;
    const Wake& wake_;
    TopPicture picture_;
    bool wants_result_ = false;  // somebody was ended during a pause: that is to be seen
};

bool is_on_terminal() {
    if (isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1) return true;
    fmt::print(stderr,
               "tidegate: top needs a terminal; tidegate top --once prints one screen as plain text, tidegate status "
               "--json is for programs\n");
    return false;
}

int run_live(WayIn way, watch::Snapshot first, TopLook look, TopState state, const TopOptions& options) {
    const Wake wake;
    int code = kWell;
    bool ended = true;
    {
        const EndSignals signals;
        auto screen = TerminalScreen::open();
        if (!screen) {
            fmt::print(stderr, "tidegate: {}\n", screen.error().message);
            return kUsage;
        }
        TopFeed feed(std::move(way), std::move(first), look, options.audit_log, wake.fd());
        feed.set(state.every, state.paused);
        Live(feed, **screen, std::move(state), wake).run();
        (*screen)->close();
        ended = feed.stop();
        if (told_to_end != 0 && told_to_end != SIGINT) code = 128 + told_to_end;
        // A thread that waits for a dead server would wake up in a process that is being taken apart.
        if (!ended) ::_exit(code);
    }
    return code;
}

}  // namespace

int top(const TopOptions& options) {
    const auto times = times_of(options);
    if (!times || (!options.once && !is_on_terminal())) return kUsage;
    auto way = WayIn::prepare(options.server);
    if (!way) return way.error();
    if (const auto opened = way->open(); !opened) return opened.error();
    auto first = way->look();
    if (!first) {
        fmt::print(stderr, "tidegate: {} ({})\n", first.error().message, first.error().code);
        return kServerUnreachable;
    }
    TopState state;
    state.every = times->every;
    state.page = options.page - 1;
    state.filter = options.filter;
    const TopLook look{.max_idle = times->max_idle, .ascii = !shows_utf8()};
    if (options.once) return print_once(TopPainter(look).paint(*way, *first), state);
    return run_live(std::move(*way), std::move(*first), look, std::move(state), options);
}

}  // namespace tidegate::cli
