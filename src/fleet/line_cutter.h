// Cuts a stream of bytes into lines. A line that is too long comes in pieces, so that nobody's output grows without end
// in memory. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidegate::fleet {

class LineCutter {
public:
    static constexpr std::size_t kLongest = std::size_t{64} * 1024;
    explicit LineCutter(std::size_t longest = kLongest) : longest_(longest) {}

    // Calls `line(std::string_view)` for each line, without its end.
    template <class Line>
    void add(std::string_view bytes, Line&& line) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            const auto piece = bytes.substr(0, end);
            if (end == std::string_view::npos) {
                rest_ += piece;
                if (rest_.size() >= longest_) finish(line);
                return;
            }
            bytes.remove_prefix(end + 1);
            if (rest_.empty()) {
                line(piece);
            } else {
                rest_ += piece;
                finish(line);
            }
        }
    }

    // The stream is at its end: what is left is a line too.
    template <class Line>
    void end(Line&& line) {
        if (!rest_.empty()) finish(line);
    }

private:
    template <class Line>
    void finish(Line& line) {
        line(std::string_view(rest_));
        rest_.clear();
    }
    std::size_t longest_;
    std::string rest_;
};

}  // namespace tidegate::fleet
