// What the tests of the library against a real server share. tests/integration/test_library.py starts the server and
// this program, with the server in TIDEGATE_TEST_URL.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tidegate/tidegate.h>

#include <concepts>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace tidegate {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::HasSubstr;

// Notices of a pool, for tests that wait for one.
class Notices {
public:
    void add(const Notice& notice) {
        const std::lock_guard lock(mutex_);
        all_.push_back(notice);
        came_.notify_all();
    }
    // The first of that kind, once it has come.
    Notice wait_for(Notice::Kind kind) {
        std::unique_lock lock(mutex_);
        for (;;) {
            for (const auto& notice : all_) {
                if (notice.kind == kind) return notice;
            }
            came_.wait(lock);
        }
    }

private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<Notice> all_;
};

class LibraryTest : public testing::Test {
protected:
    static Options options() {
        auto options = Options::from_url(std::getenv("TIDEGATE_TEST_URL"));
        EXPECT_TRUE(options.has_value()) << options.error().message;
        return std::move(*options);
    }
    // A pool of so many, with options changed by `change`.
    template <std::invocable<Options&> Change>
    Pool make(Change change) {
        auto wanted = options();
        wanted.on_notice = [this](const Notice& notice) { notices.add(notice); };
        change(wanted);
        auto pool = Pool::create(std::move(wanted));
        EXPECT_TRUE(pool.has_value()) << pool.error().message;
        return std::move(*pool);
    }
    Pool make(unsigned connections = 3) {
        return make([&](Options& wanted) { wanted.max_connections = connections; });
    }

    template <class T>
    static T must(Result<T> result) {
        if (!result) throw std::runtime_error(result.error().message);
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }
    // The one cell of a statement's result.
    template <class T>
    static T cell(Lease& lease, std::string_view sql) {
        return must(must(lease.query(sql)).front().template get<T>(0));
    }
    static void end(Pool& pool, const Lease& victim) {
        must(pool.query("KILL " + std::to_string(victim.connection_id())));
    }

    Notices notices;
};

}  // namespace tidegate
