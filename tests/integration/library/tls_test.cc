// What the URL's ?tls= asks for, against servers with and without TLS.
#include "fixture.h"

namespace tidegate {
namespace {

class TlsTest : public LibraryTest {
protected:
    static std::string cipher(Pool& pool) {
        return must(must(pool.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")).front().get<std::string>(1));
    }
};

TEST_F(TlsTest, IsUsed) {
    auto pool = make();
    EXPECT_NE(cipher(pool), "");
}

TEST_F(TlsTest, IsNotUsed) {
    auto pool = make();
    EXPECT_EQ(cipher(pool), "");
}

TEST_F(TlsTest, IsMissed) {
    auto pool = make();
    const auto error = pool.acquire(20s).error();
    EXPECT_EQ(error.code, 2026) << error.message;
}

// A write to a connection whose other end is gone must not end the program with SIGPIPE.
TEST_F(TlsTest, AConnectionThatIsGoneEndsNothingElse) {
    auto pool = make();
    auto admin = make(1);
    {
        auto lease = must(pool.acquire());
        end(admin, lease);
        (void)lease.query("SELECT 1");
        auto other = must(pool.acquire());
        auto transaction = must(other.begin());
        end(admin, other);
        (void)other.query("SELECT 1");
    }
    EXPECT_TRUE(pool.test_connection().has_value());
}

}  // namespace
}  // namespace tidegate
