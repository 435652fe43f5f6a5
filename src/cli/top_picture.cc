#include "cli/top_picture.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "api/slots_json.h"
#include "cli/top_pages.h"
#include "cli/trend.h"
#include "slots/door.h"
#include "watch/holders.h"
#include "watch/usage.h"

namespace tidegate::cli {
namespace {

using json = nlohmann::ordered_json;
using watch::Sheet;
using watch::Snapshot;
using watch::TopPicture;

constexpr std::size_t kLooksKept = 48;  // as many as 80 columns show beside the words

std::uint64_t count(const Snapshot& snapshot, const char* name) {
    return snapshot.count(name).value_or(0);
}

watch::Tone tone_of(watch::Level level) {
    return level == watch::Level::critical    ? watch::Tone::critical
           : level == watch::Level::attention ? watch::Tone::attention
                                              : watch::Tone::plain;
}

std::string rate_text(double rate) {
    return rate < 10 ? fmt::format("{:.1f}", rate) : fmt::format("{:.0f}", rate);
}

// The slots of this host, with a gate or without one.
Sheet slots_of(const WayIn& way) {
    const char* named = std::getenv("TIDEGATE_SLOTS");
    const auto door = slots::Door::open(named != nullptr && *named != '\0' ? named : way.config().slots.path);
    if (!door) {
        auto sheet = slots_sheet(json::object());
        sheet.empty = door.error().message;
        return sheet;
    }
    const auto pools = door->look_at_all();
    if (pools) return slots_sheet(api::slots_json(*pools, Clock::now(), std::chrono::system_clock::now()));
    auto sheet = slots_sheet(json::object());
    sheet.empty = pools.error().message;
    return sheet;
}

void add_gate(TopPicture& picture, WayIn& way) {
    const auto* gate = way.gate();
    const auto pool = gate != nullptr ? gate->ask("/api/connection-pool-stats") : Result<json>(fail("no gate"));
    if (!pool) {
        way.look_for_gate_again();
        picture.sheets[1] = gate_sheet(json::object(), json::object());
        picture.sheets[1].notes.clear();
        picture.sheets[1].empty =
            "no gate of this host stands before this server, or it is not ours to ask; tidegate serve starts one";
        picture.sheets[3] = fleet_sheet(json::object());
        return;
    }
    const auto clients = gate->clients();
    const auto workers = gate->ask("/api/worker-stats");
    picture.gate = gate_figures(*pool);
    picture.sheets[1] = gate_sheet(*pool, clients ? *clients : json::object());
    if (!clients) picture.sheets[1].empty = clients.error().message;
    picture.sheets[3] = fleet_sheet(workers ? *workers : json::object());
}

}  // namespace

void TopPainter::note(const Snapshot& snapshot, double used) {
    const auto questions = count(snapshot, "Questions");
    if (counted_at_ && questions >= questions_ && snapshot.taken > *counted_at_) {
        const auto passed = std::chrono::duration<double>(snapshot.taken - *counted_at_).count();
        rate_ = static_cast<double>(questions - questions_) / passed;
    } else {
        rate_.reset();
    }
    counted_at_ = snapshot.taken;
    questions_ = questions;
    past_.push_back({snapshot.taken, used});
    if (past_.size() > kLooksKept) past_.pop_front();
}

std::string TopPainter::activity(const Snapshot& snapshot) const {
    const auto now = counts(snapshot, look_.max_idle);
    const auto up = std::max<std::uint64_t>(count(snapshot, "Uptime"), 1);
    const auto rate = rate_.value_or(static_cast<double>(count(snapshot, "Questions")) / static_cast<double>(up));
    return fmt::format("{} active  {} sleeping  {} over {}  {} running  {} refused  {} questions/s{}", now.active,
                       now.sleeping, now.idle, watch::short_time(look_.max_idle), count(snapshot, "Threads_running"),
                       count(snapshot, "Connection_errors_max_connections"), rate_text(rate), rate_ ? "" : " so far");
}

void TopPainter::add_history(TopPicture& picture) const {
    std::vector<double> values;
    values.reserve(past_.size());
    for (const auto& past : past_) values.push_back(past.used);
    const auto [least, most] = std::ranges::minmax(values);
    picture.sparkline = sparkline(values, look_.ascii);
    picture.history = least == most ? fmt::format("connections {:.0f}", most)
                                    : fmt::format("connections {:.0f} to {:.0f}", least, most);
    const auto passed = past_.back().at - past_.front().at;
    picture.history += fmt::format(" in {}", watch::short_time(std::chrono::duration_cast<Duration>(passed)));
}

TopPicture TopPainter::paint(WayIn& way, const Snapshot& snapshot) {
    const auto all = watch::usages(snapshot);
    const auto& tight = watch::tightest(all);
    note(snapshot, static_cast<double>(all.front().used));

    TopPicture picture;
    picture.title = fmt::format("{} {} at {}, up for {}",
                                snapshot.flavour == watch::Flavour::mariadb ? "MariaDB" : "MySQL", snapshot.version,
                                way.server().text(), watch::words_of(std::chrono::seconds(count(snapshot, "Uptime"))));
    picture.taken = fmt::format("{:%H:%M:%S}", fmt::localtime(std::chrono::system_clock::to_time_t(snapshot.taken)));
    picture.usage = tight.text() + (&tight == &all.front() ? "" : " " + tight.of);
    picture.used = std::clamp(tight.percent() / 100, 0.0, 1.0);
    picture.alarm = tone_of(tight.level());
    picture.activity = activity(snapshot);
    add_history(picture);
    picture.sheets[0] = connections_sheet(snapshot, look_.long_statement);
    add_gate(picture, way);
    picture.sheets[2] = slots_of(way);
    picture.snapshot = snapshot;
    return picture;
}

}  // namespace tidegate::cli
