// Looks at how many connections the server has, again and again, on a thread of its own: for fleets and jobs that are
// started as there is room. Asks the server itself, or a running gate's API.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "config/config.h"
#include "fleet/pace.h"

namespace tidegate::cli {

struct LoadSource {
    std::optional<config::Server> server;  // the account in it is looked with
    std::optional<config::Endpoint> api;   // goes before the server
    std::string token;
};

struct Look {
    std::optional<fleet::Load> load;
    std::string error;  // why there is none
};

class LoadProbe {
public:
    // Calls `seen` on the probe's own thread after every look. `keep` = one connection stays open for all looks.
    LoadProbe(LoadSource source, Duration interval, bool keep, std::function<void(Look)> seen);
    ~LoadProbe();
    LoadProbe(const LoadProbe&) = delete;
    LoadProbe& operator=(const LoadProbe&) = delete;

private:
    class Server;
    void run();
    [[nodiscard]] Look look();
    [[nodiscard]] Look look_at_gate() const;

    LoadSource source_;
    Duration interval_;
    bool keep_;
    std::function<void(Look)> seen_;
    std::unique_ptr<Server> server_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace tidegate::cli
