#include "net/certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "net/tls.h"

namespace tidegate::net {
namespace {

std::unique_ptr<X509, decltype(&X509_free)> parse(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                           BIO_free_all);
    return {PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), X509_free};
}

TEST(Certificate, IsForTheHostAndLocalhost) {
    const auto made = make_certificate("gate.example");
    ASSERT_TRUE(made) << made.error().message;
    const auto certificate = parse(made->certificate_pem);
    ASSERT_NE(certificate, nullptr);
    EXPECT_EQ(X509_check_host(certificate.get(), "gate.example", 0, 0, nullptr), 1);
    EXPECT_EQ(X509_check_host(certificate.get(), "localhost", 0, 0, nullptr), 1);
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), "127.0.0.1", 0), 1);
    EXPECT_EQ(X509_check_host(certificate.get(), "other.example", 0, 0, nullptr), 0);
    EXPECT_EQ(EVP_PKEY_get_bits(X509_get0_pubkey(certificate.get())), 256);
    EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())), 1);

    int days = 0;
    int seconds = 0;
    ASSERT_EQ(ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())), 1);
    EXPECT_GT(days, 3600);
    ASSERT_EQ(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate.get()), nullptr), 1);
    EXPECT_GE(days * 86400 + seconds, 86000);
}

TEST(Certificate, ServesTls) {
    const auto made = make_certificate("localhost");
    ASSERT_TRUE(made);
    const auto context = TlsContext::server(made->certificate_pem, made->key_pem);
    EXPECT_TRUE(context) << context.error().message;
}

TEST(Certificate, NoTwoAreTheSame) {
    const auto one = certificate_sha256(make_certificate("a")->certificate_pem);
    const auto two = certificate_sha256(make_certificate("a")->certificate_pem);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->size(), 32u);
    EXPECT_NE(*one, *two);
    EXPECT_FALSE(certificate_sha256("no certificate"));
}

TEST(Certificate, TakesAnyHostName) {
    for (const std::string& name :
         {std::string(), std::string("a,DNS:*"), std::string(300, 'x'), std::string("\xC3\xBC")}) {
        const auto made = make_certificate(name);
        ASSERT_TRUE(made) << name;
        EXPECT_EQ(X509_check_host(parse(made->certificate_pem).get(), "anything", 0, 0, nullptr), 0);
    }
}

}  // namespace
}  // namespace tidegate::net
