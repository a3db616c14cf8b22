// Diagnoses of certificates that clients refuse, shown by a real nginx.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_edge.h"

namespace omnix {
namespace {

using testing::HasSubstr;

class CertificateFaultsTest : public FaultyEdge {
 protected:
  // NAME.pem and NAME.key, signed by itself, from `begin` to `end` days from now.
  void Issue(const std::string& name, const std::string& host, int begin, int end) {
    const auto day = [](int days) {
      return absl::FormatTime("%Y%m%d%H%M%SZ", absl::Now() + absl::Hours(24 * days), absl::UTCTimeZone());
    };
    ProcessOptions options;
    options.cwd = folder_;
    auto made =
        RunProcess({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", name + ".key", "-out", "root.pem", "-days", "10", "-subj", "/CN=" + host},
                   options);
    ASSERT_TRUE(made.ok() && made->exit_code == 0) << (made.ok() ? made->err : made.status().ToString());
    // `openssl req` knows no times: the same key signs once more as an authority.
    Write("ca.conf",
          fmt::format("[ca]\ndefault_ca=d\n[d]\nnew_certs_dir={0}/tmp\ndatabase={0}/index\nserial={0}/serial\n"
                      "policy=p\ndefault_md=sha256\nx509_extensions=e\nunique_subject=no\n[p]\n"
                      "commonName=supplied\n[e]\nsubjectAltName=DNS:{1},IP:{2}\n",
                      folder_, host, host == "127.0.0.1" ? "127.0.0.1" : "127.0.0.9"));
    Write("index", "");
    Write("serial", "0" + RandomHex(7) + "0");
    made = RunProcess({"openssl", "req", "-new", "-key", name + ".key", "-subj", "/CN=" + host, "-out", "request.pem"},
                      options);
    ASSERT_TRUE(made.ok() && made->exit_code == 0) << (made.ok() ? made->err : made.status().ToString());
    made = RunProcess({"openssl", "ca", "-batch", "-config", "ca.conf", "-selfsign", "-keyfile", name + ".key", "-in",
                       "request.pem", "-out", name + ".pem", "-startdate", day(begin), "-enddate", day(end), "-notext"},
                      options);
    ASSERT_TRUE(made.ok() && made->exit_code == 0) << (made.ok() ? made->err : made.status().ToString());
  }

  // The edge with HTTPS on a port of its own, which the model declares.
  v1::Service* StartTls() {
    const int a = FreePort(), tls = FreePort();
    Serve(a, "        self.answer(200)");
    AddService("shop", a, {"/health"});
    v1::Service* edge = StartEdge({"/health"}, "",
                                  fmt::format("listen 127.0.0.1:{} ssl;\nssl_certificate {}/site.pem;\n"
                                              "ssl_certificate_key {}/site.key;\n{}",
                                              tls, folder_, folder_, Proxy(fmt::format("127.0.0.1:{}", a))));
    edge->add_tls(fmt::format("127.0.0.1:{}", tls));
    return edge;
  }
};

TEST_F(CertificateFaultsTest, ItExpiredAndTheRenewedOneWasNotLoaded) {
  Issue("site", "127.0.0.1", -90, -2);
  v1::Service* edge = StartTls();
  (*edge->mutable_commands())["reload"].add_argv("true");
  v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "tls.certificate_expired") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("ssl_certificate "));
  EXPECT_EQ(First(diagnosis).remedies_size(), 0);
  Issue("site", "127.0.0.1", -1, 90);
  diagnosis = Run();
  EXPECT_THAT(First(diagnosis).explanation(), HasSubstr("it was not loaded")) << All(diagnosis);
  ASSERT_EQ(First(diagnosis).remedies_size(), 1);
  EXPECT_EQ(First(diagnosis).remedies(0).id(), "reload");
}

TEST_F(CertificateFaultsTest, ItIsNotYetValid) {
  Issue("site", "127.0.0.1", 3, 90);
  StartTls();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "tls.certificate_invalid") << All(diagnosis);
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("is not valid before"));
}

TEST_F(CertificateFaultsTest, ItIsForAnotherName) {
  Issue("site", "old.shop.example", -10, 90);
  StartTls();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "tls.certificate_invalid") << All(diagnosis);
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("is for old.shop.example"));
}

// Signed by itself for months, and nobody complains: hardly what happened now.
TEST_F(CertificateFaultsTest, OneThatWasAlwaysSignedByItselfIsAGuess) {
  Issue("site", "127.0.0.1", -60, 90);
  StartTls();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_LT(First(diagnosis).confidence(), 0.7) << All(diagnosis);
}

// The model asks for no certificate; the one whose log complains is not the one to blame.
TEST_F(CertificateFaultsTest, TheCallersLogComplainsOfAnExpiredOne) {
  Issue("site", "127.0.0.1", -90, -1);
  v1::Service* edge = StartTls();
  const std::string address = edge->tls(0);
  edge->clear_tls();
  edge->add_listen(address);
  v1::Service* app = AddService("app", FreePort(), {"/pay"});
  app->clear_base_url();
  const int port = FreePort();
  Serve(port, "        self.answer(502)");
  app->set_base_url(fmt::format("http://127.0.0.1:{}", port));
  app->add_depends_on("edge");
  app->add_config_files()->set_path(Path("app.yaml"));
  Write("app.yaml", fmt::format("edge_url: https://{}/v1\n", address));
  app->add_logs()->set_path(Path("app.log"));
  Write("app.log", Now() + " ERROR GET /pay: certificate verify failed: certificate has expired (_ssl.c:1002)\n");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "tls.certificate_expired") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "edge");
}

}  // namespace
}  // namespace omnix
