// Writers over one pool, for tests that hurt the server meanwhile: each row has a number of its own, so that what was
// acknowledged can be held against what is there.
//
//     library_load THREADS        (TIDEGATE_TEST_URL; table written (id BIGINT, PRIMARY KEY (id)))
//
// A line "ok N" for each acknowledged row, "unknown N" where the connection was lost on the way, "failed CODE MESSAGE"
// for anything else. Ends when its standard input does.
#include <poll.h>
#include <tidegate/tidegate.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<bool> ending = false;
std::atomic<long> numbers = 0;

void write_rows(tidegate::Pool& pool) {
    while (!ending) {
        const long number = ++numbers;
        auto lease = pool.acquire(std::chrono::seconds(60));
        if (!lease) {
            std::printf("failed %d %s\n", lease.error().code, lease.error().message.c_str());
            continue;
        }
        const auto written = lease->execute("INSERT INTO written (id) VALUES (?)", number);
        if (written) {
            std::printf("ok %ld\n", number);
        } else if (tidegate::is_connection_lost(written.error())) {
            std::printf("unknown %ld\n", number);
        } else {
            std::printf("failed %d %s\n", written.error().code, written.error().message.c_str());
        }
    }
}

}  // namespace

int main(int, char** arguments) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    auto options = tidegate::Options::from_url(std::getenv("TIDEGATE_TEST_URL"));
    if (!options) return 1;
    options->max_connections = 4;
    options->read_timeout = std::chrono::seconds(5);
    auto pool = tidegate::Pool::create(std::move(*options));
    if (!pool) return 1;
    std::vector<std::thread> threads;
    for (int i = 0; i < std::atoi(arguments[1]); ++i) threads.emplace_back([&] { write_rows(*pool); });
    pollfd input{0, POLLIN, 0};
    (void)poll(&input, 1, -1);
    ending = true;
    for (auto& thread : threads) thread.join();
    return 0;
}
