// The gate's standing connection to the server: reads the limits, counts what others hold, fetches password hashes, and
// carries KILLs, which must get through when everything else is taken. Needs the account of [server] url; without one
// the gate learns from refusals only. Belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "net/loop.h"
#include "net/task.h"
#include "protocol/auth/credential.h"
#include "proxy/server_connection.h"

namespace tidegate::proxy {

class Core;

class Monitor {
public:
    explicit Monitor(Core& core);

    // The monitor's life; ends some time after stop().
    net::Task<void> run();
    void stop();
    [[nodiscard]] bool ended() const { return ended_; }

    [[nodiscard]] bool connected() const { return connection_ != nullptr; }
    [[nodiscard]] std::uint32_t thread_id() const { return connection_ ? connection_->thread_id() : 0; }  // 0: none
    // Asks the server something soon, before the monitor's own next look. An error: there is no connection, or it
    // broke.
    net::Task<Result<Answer>> ask(std::string statement);
    // Runs a KILL soon; false where there is no connection that could.
    net::Task<bool> kill(std::string statement);
    // Something of the gate wants a look of its own (Routines).
    void wake() { wake_.set(); }
    // Looks at the figures again now, not at the end of the period.
    void look_again() {
        next_look_ = {};
        wake_.set();
    }

private:
    static constexpr std::size_t kOthersKept = 12;
    struct Order {
        std::string statement;
        net::Event done;
        std::optional<Result<Answer>> answer{};
    };

    net::Task<void> connect();
    net::Task<bool> attend();
    net::Task<bool> carry_out_orders();
    net::Task<bool> look();
    [[nodiscard]] unsigned others_of(unsigned counted);
    net::Task<bool> look_at_accounts();
    void drop_connection();
    net::Task<void> rest(TimePoint until);

    Core& core_;
    std::unique_ptr<ServerConnection> connection_;
    std::deque<Order*> orders_;
    net::Event wake_;
    bool stopping_ = false;
    bool ended_ = true;
    bool accounts_readable_ = true;
    int looks_ = 0;
    TimePoint next_look_{};
    std::deque<unsigned> others_;  // of the last looks, since no seat was taken
};

}  // namespace tidegate::proxy
