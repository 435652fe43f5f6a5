// A port of this host that refuses everybody as a full server does (1040), for `tidegate validate --full`: no real
// server has to be filled to see what happens then.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "base/error.h"

namespace tidegate::cli {

class FullServer {
public:
    [[nodiscard]] static Result<std::unique_ptr<FullServer>> start();
    ~FullServer();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] unsigned refused() const { return refused_; }

private:
    FullServer(int fd, std::uint16_t port);
    void run();
    int fd_;
    std::uint16_t port_;
    std::atomic<unsigned> refused_ = 0;
    std::thread thread_;
};

}  // namespace tidegate::cli
