// The kernel's own tables, looked at for this very process.
#include "fleet/connections.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"

namespace tidegate::fleet {
namespace {

using testing::Contains;
using testing::Not;

// A connection to itself at `any`'s loopback address; what both ends are called.
template <class Address>
struct Pair {
    explicit Pair(Address at) : listener(socket(reinterpret_cast<sockaddr*>(&at)->sa_family, SOCK_STREAM, 0)) {
        socklen_t size = sizeof at;
        bind(listener, reinterpret_cast<sockaddr*>(&at), size);
        listen(listener, 1);
        getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
        client = socket(reinterpret_cast<sockaddr*>(&at)->sa_family, SOCK_STREAM, 0);
        connected = connect(client, reinterpret_cast<sockaddr*>(&at), size) == 0;
        listening = net::Address(reinterpret_cast<sockaddr*>(&at), size).text();
        getsockname(client, reinterpret_cast<sockaddr*>(&at), &size);
        local = net::Address(reinterpret_cast<sockaddr*>(&at), size).text();
    }
    ~Pair() {
        close(client);
        close(listener);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    int listener;
    int client = -1;
    bool connected = false;
    std::string listening;
    std::string local;
};

TEST(Parties, HaveTheirEndsOfConnections) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const Pair<sockaddr_in> pair(four);
    ASSERT_TRUE(pair.connected);
    const std::vector<pid_t> self{getpid()};
    const auto parties = parties_of(self);
    ASSERT_EQ(parties.size(), 1U);
    EXPECT_THAT(parties[0].processes, Contains(getpid()));
    EXPECT_THAT(parties[0].addresses, Contains(pair.local));
    EXPECT_THAT(parties[0].addresses, Not(Contains(pair.listening)));  // listens, and is not accepted yet
}

TEST(Parties, HaveThoseOverVersionSixToo) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    const Pair<sockaddr_in6> pair(six);
    if (!pair.connected) GTEST_SKIP() << "this machine has no ::1";
    const std::vector<pid_t> self{getpid()};
    EXPECT_THAT(parties_of(self)[0].addresses, Contains(pair.local));
}

TEST(Parties, ThatAreGoneHaveNothing) {
    const std::vector<pid_t> nobody{0x3FFFFFFF};
    EXPECT_TRUE(parties_of(nobody)[0].addresses.empty());
}

}  // namespace
}  // namespace tidegate::fleet
