#include "cli/status_line.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tidegate::cli {
namespace {

constexpr Duration kPause = 100ms;
constexpr std::size_t kBar = 20;

std::size_t width() {
    winsize size{};
    constexpr std::size_t kUsual = 80;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

bool is_terminal() {
    const char* kind = std::getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

}  // namespace

StatusLine::StatusLine() : terminal_(is_terminal()) {}

void StatusLine::draw(double share, const std::string& text, TimePoint now) {
    if (!terminal_ || (drawn_ && now - drawn_at_ < kPause)) return;
    const auto full = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * kBar));
    auto line = fmt::format("[{}{}] {}", std::string(full, '#'), std::string(kBar - full, '.'), text);
    line.resize(std::min(line.size(), width() - 1));
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    drawn_ = true;
    drawn_at_ = now;
}

void StatusLine::clear() {
    if (!drawn_) return;
    drawn_ = false;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
}

}  // namespace tidegate::cli
