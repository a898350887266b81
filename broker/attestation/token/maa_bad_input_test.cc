// Each row starts from a good token and spoils one thing. The rows follow a list of attacks on JWS
// and JWT verifiers.

#include <functional>

#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "broker/attestation/test_evidence.h"
#include "nlohmann/json.hpp"

namespace latchkey::attestation {
namespace {

using nlohmann::json;

absl::StatusOr<AttestationResult> Appraise(std::string token) {
  return TestVerifiers().Appraise(TokenEvidence(std::move(token)), TestBinding(), kNow);
}

std::string GoodHeader() { return Maa().Header(); }
std::string GoodPayload() { return Maa().Payload(TestToken()); }
std::string GoodToken() { return Maa().Sign(GoodHeader(), GoodPayload()); }

// The token with a JSON pointer of header or payload set to a value, or removed; signed anew.
std::string Edit(std::string text, const std::string& pointer, const std::optional<json>& value) {
  json object = json::parse(text);
  const json::json_pointer at(pointer);
  if (value.has_value()) {
    object[at] = *value;
  } else {
    object[at.parent_pointer()].erase(at.back());
  }
  return object.dump();
}
std::string WithHeader(const std::string& pointer, const std::optional<json>& value) {
  return Maa().Sign(Edit(GoodHeader(), pointer, value), GoodPayload());
}
std::string WithPayload(const std::string& pointer, const std::optional<json>& value) {
  return Maa().Sign(GoodHeader(), Edit(GoodPayload(), pointer, value));
}

struct BadToken {
  const char* name;
  std::string token;
  const char* reason;
};

void ExpectRefused(const std::vector<BadToken>& rows) {
  EXPECT_THAT(Appraise(GoodToken()), IsAccepted());
  for (const BadToken& row : rows) {
    EXPECT_THAT(Appraise(row.token), RefusedAs(row.reason)) << row.name;
  }
}

// A member in front of those of a JSON object.
std::string Before(std::string_view member, const std::string& object) {
  return absl::StrCat("{", ToAbsl(member), ",", object.substr(1));
}

std::vector<std::string> PartsOf(const std::string& token) {
  const size_t first = token.find('.');
  const size_t second = token.find('.', first + 1);
  return {token.substr(0, first), token.substr(first + 1, second - first - 1),
          token.substr(second + 1)};
}

TEST(MaaBadInput, CompactFormIsStrict) {
  const std::string good = GoodToken();
  const auto parts = PartsOf(good);
  std::string unused_bits = good;  // 256 bytes of signature: the last character has 2 unused bits
  unused_bits.back() = good.back() == 'A' ? 'B' : static_cast<char>(good.back() + 1);
  ExpectRefused({
      {"J1 empty", "", "MALFORMED"},
      {"J1 newline", good + "\n", "MALFORMED"},
      {"J1 blank before", " " + good, "MALFORMED"},
      {"J1 Bearer", "Bearer " + good, "MALFORMED"},
      {"J1 NUL", good + std::string(1, '\0'), "MALFORMED"},
      {"J2 one part", parts[0], "MALFORMED"},
      {"J2 two parts", parts[0] + "." + parts[1], "MALFORMED"},
      {"J2 four parts", good + "." + parts[2], "MALFORMED"},
      {"J2 trailing dot", good + ".", "MALFORMED"},
      {"J2 leading dot", "." + good, "MALFORMED"},
      {"J3 dots", std::string(100000, '.'), "TOO_LARGE"},
      {"J3 one byte too long", std::string((64 << 10) + 1, 'A'), "TOO_LARGE"},
      {"J3 longest", std::string(64 << 10, 'A'), "MALFORMED"},
      {"J4 five parts", good + ".AAAA.AAAA", "MALFORMED"},
      {"J5 JSON serialization",
       json{{"protected", parts[0]}, {"payload", parts[1]}, {"signature", parts[2]}}.dump(),
       "MALFORMED"},
      {"J6 padding", parts[0] + "=." + parts[1] + "." + parts[2], "MALFORMED"},
      {"J6 standard alphabet", parts[0] + "." + parts[1] + ".+/+/", "MALFORMED"},
      {"J6 CR LF", parts[0] + "." + parts[1] + "\r\n." + parts[2], "MALFORMED"},
      {"J6 length 1 mod 4", parts[0] + "." + parts[1] + ".AAAAA", "MALFORMED"},
      {"J7 unused bits", unused_bits, "MALFORMED"},
  });
}

TEST(MaaBadInput, JsonIsStrict) {
  const std::string header = GoodHeader();
  const std::string payload = GoodPayload();
  const std::string iss = absl::StrCat("\"iss\":\"", Maa().issuer(), "\"");
  std::vector<BadToken> rows;
  for (const char* text : {"[]", "\"x\"", "1", "null", "", "{} {}", "{}x"}) {
    rows.push_back({"J8 header", Maa().Sign(text, payload), "MALFORMED"});
    rows.push_back({"J8 payload", Maa().Sign(header, text), "MALFORMED"});
  }
  rows.insert(
      rows.end(),
      {{"J9 alg twice", Maa().Sign(Before("\"alg\":\"none\"", header), payload), "MALFORMED"},
       {"J9 alg twice, escaped", Maa().Sign(Before("\"\\u0061lg\":\"none\"", header), payload),
        "MALFORMED"},
       {"J9 iss twice", Maa().Sign(header, Before(iss, payload)), "MALFORMED"},
       {"J10 BOM", Maa().Sign(header, "\xef\xbb\xbf" + payload), "MALFORMED"},
       {"J10 lone surrogate", Maa().Sign(header, Before("\"a\":\"\\ud800\"", payload)),
        "MALFORMED"},
       {"J10 bad UTF-8", Maa().Sign(header, Before("\"a\":\"\xff\"", payload)), "MALFORMED"},
       {"J10 raw control", Maa().Sign(header, Before("\"a\":\"\x01\"", payload)), "MALFORMED"},
       {"J10 trailing NUL", Maa().Sign(header, payload + std::string(1, '\0')), "MALFORMED"},
       {"J10 comment", Maa().Sign(header, "/**/" + payload), "MALFORMED"},
       {"J10 NaN", Maa().Sign(header, Before("\"a\":NaN", payload)), "MALFORMED"},
       {"J10 leading zero", Maa().Sign(header, Before("\"a\":01", payload)), "MALFORMED"},
       {"J11 deep",
        Maa().Sign(
            header,
            Before(absl::StrCat("\"a\":", std::string(33, '['), std::string(33, ']')), payload)),
        "MALFORMED"},
       {"J11 NUL in a name", Maa().Sign(header, Before("\"a\\u0000\":1", payload)), "MALFORMED"}});
  ExpectRefused(rows);
}

TEST(MaaBadInput, OnlyRs256IsAccepted) {
  std::vector<BadToken> rows;
  for (const char* name :
       {"none", "None", "nOnE", "", " RS256", "RS256\n", "rs256", "HS256", "HS384", "HS512",
        "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "ML-DSA-44"}) {
    rows.push_back({name, WithHeader("/alg", name), "ALG_DENIED"});
  }
  const auto parts = PartsOf(WithHeader("/alg", "none"));
  rows.push_back({"J12 none without a signature", parts[0] + "." + parts[1] + ".", "ALG_DENIED"});
  rows.push_back({"J12 no alg", WithHeader("/alg", std::nullopt), "MALFORMED"});
  rows.push_back({"J12 alg null", WithHeader("/alg", nullptr), "MALFORMED"});
  rows.push_back({"J12 alg array", WithHeader("/alg", json::array({"RS256"})), "MALFORMED"});
  ExpectRefused(rows);
}

TEST(MaaBadInput, KeyForAnotherAlgorithmIsRefused) {
  AuthorityConfig authority = MaaAuthority();
  authority.jwks = Edit(authority.jwks, "/keys/0/alg", "PS256");
  const auto verifiers = MakeVerifiers({authority}, {});
  ASSERT_TRUE(verifiers.ok()) << verifiers.status();
  EXPECT_THAT((*verifiers)->Appraise(TokenEvidence(GoodToken()), TestBinding(), kNow),
              RefusedAs("ALG_DENIED"));
}

TEST(MaaBadInput, WoundedSignatureIsRefused) {
  const std::string good = GoodToken();
  const auto parts = PartsOf(good);
  const std::string input = parts[0] + "." + parts[1] + ".";
  const Bytes signature = *Base64UrlDecode(parts[2]);
  const Bytes modulus = Maa().key().public_key().RsaModulus();
  const auto with = [&](const Bytes& bytes) { return input + Base64UrlEncode(AsBytes(bytes)); };
  std::vector<BadToken> rows = {
      {"J18 empty", input, "BAD_SIGNATURE"},
      {"J18 truncated", with(signature.substr(0, 255)), "BAD_SIGNATURE"},
      {"J18 of another token", input + PartsOf(Maa().Sign(GoodHeader(), GoodPayload() + " "))[2],
       "BAD_SIGNATURE"},
      {"J19 zero", with(Bytes(256, '\0')), "BAD_SIGNATURE"},
      {"J19 one", with(Bytes(255, '\0') + '\1'), "BAD_SIGNATURE"},
      {"J19 the modulus", with(modulus), "BAD_SIGNATURE"},
      {"J19 with a zero before it", with(Bytes(1, '\0') + signature), "BAD_SIGNATURE"},
      {"J19 PSS",
       with(Maa().key().Sign(crypto::SignatureAlgorithm::kRsaPssSha256,
                             AsBytes(input.substr(0, input.size() - 1)))),
       "BAD_SIGNATURE"},
  };
  for (size_t offset = 0; offset < signature.size(); offset += 5) {
    Bytes wounded = signature;
    wounded[offset] ^= 0x10;
    rows.push_back({"J18 bit flipped", with(wounded), "BAD_SIGNATURE"});
  }
  ExpectRefused(rows);
}

TEST(MaaBadInput, KeysComeFromTheAuthorityAlone) {
  const std::string own = Maa().issuer() + "/certs";
  const json own_key = json::parse(Maa().Jwks())["keys"][0];
  std::vector<BadToken> rows = {
      {"J22 unknown kid", WithHeader("/kid", "unknown"), "KEY_UNKNOWN"},
      {"J23 no kid", WithHeader("/kid", std::nullopt), "KEY_UNKNOWN"},
      {"J23 kid path", WithHeader("/kid", "../../dev/null"), "KEY_UNKNOWN"},
      {"J23 kid SQL", WithHeader("/kid", "' OR 1=1--"), "KEY_UNKNOWN"},
      {"J23 kid long", WithHeader("/kid", std::string(10240, 'k')), "KEY_UNKNOWN"},
      {"J23 kid number", WithHeader("/kid", 1), "MALFORMED"},
      {"J23 kid array", WithHeader("/kid", json::array({Maa().kid()})), "MALFORMED"},
      {"J25 jwk", WithHeader("/jwk", own_key), "KEY_UNKNOWN"},
      {"J26 x5u", WithHeader("/x5u", own), "KEY_UNKNOWN"},
      {"J26 x5c", WithHeader("/x5c", json::array()), "KEY_UNKNOWN"},
  };
  for (const std::string& jku :
       {std::string("https://evil.example/certs"), std::string("http://127.0.0.1/certs"),
        std::string("http://169.254.169.254/metadata"), std::string("file:///etc/passwd"),
        Maa().issuer() + "/other", own + "/", own + "?x", Maa().issuer() + "@evil.example/certs",
        std::string()}) {
    rows.push_back({"J24", WithHeader("/jku", jku), "JKU_MISMATCH"});
  }
  rows.push_back({"J24 jku no string", WithHeader("/jku", 1), "JKU_MISMATCH"});
  ExpectRefused(rows);
  EXPECT_THAT(Appraise(WithHeader("/jku", std::nullopt)), IsAccepted());
}

TEST(MaaBadInput, HeaderExtensionsAndTypesAreRefused) {
  ExpectRefused({
      {"J27 crit", WithHeader("/crit", json::array({"exp"})), "MALFORMED"},
      {"J27 crit empty", WithHeader("/crit", json::array()), "MALFORMED"},
      {"J27 b64", WithHeader("/b64", false), "MALFORMED"},
      {"J28 zip", WithHeader("/zip", "DEF"), "MALFORMED"},
      {"J29 access token", WithHeader("/typ", "at+jwt"), "TYPE_MISMATCH"},
      {"J29 proof of possession", WithHeader("/typ", "dpop+jwt"), "TYPE_MISMATCH"},
      {"J29 security event", WithHeader("/typ", "secevent+jwt"), "TYPE_MISMATCH"},
      {"J29 nested", WithHeader("/cty", "JWT"), "TYPE_MISMATCH"},
  });
  EXPECT_THAT(Appraise(WithHeader("/typ", std::nullopt)), IsAccepted());
}

TEST(MaaBadInput, IssuerIsComparedExactly) {
  const std::string issuer = Maa().issuer();
  std::vector<BadToken> rows = {
      {"J30 missing", WithPayload("/iss", std::nullopt), "ISSUER_UNKNOWN"},
      {"J30 array", WithPayload("/iss", json::array({issuer})), "ISSUER_UNKNOWN"},
  };
  for (const std::string& other :
       {std::string(), issuer + "/", absl::StrCat("HTTPS", issuer.substr(5)),
        issuer + ".evil.example", absl::StrCat("http", issuer.substr(5)),
        issuer.substr(0, issuer.size() - 1), issuer + "%20",
        std::string("https://sharedweu.weu.attest.azure.net")}) {
    rows.push_back({"J30", WithPayload("/iss", other), "ISSUER_UNKNOWN"});
  }
  ExpectRefused(rows);
}

TEST(MaaBadInput, TokenOfAnotherKindIsRefused) {
  const json sgx = {{"iss", Maa().issuer()},
                    {"x-ms-attestation-type", "sgx"},
                    {"x-ms-ver", "1.0"},
                    {"x-ms-policy-hash", dev::MaaIssuer::PolicyHash()},
                    {"iat", absl::ToUnixSeconds(kNow)},
                    {"nbf", absl::ToUnixSeconds(kNow)},
                    {"exp", absl::ToUnixSeconds(kNow) + 60}};
  ExpectRefused({
      {"J32 SGX", Maa().Sign(GoodHeader(), sgx.dump()), "CLAIMS_MISSING"},
      {"J32 not a confidential VM", WithPayload("/x-ms-isolation-tee", std::nullopt),
       "CLAIMS_MISSING"},
      {"J32 isolation is no object", WithPayload("/x-ms-isolation-tee", true), "CLAIMS_MISSING"},
      {"TDX", WithPayload("/x-ms-isolation-tee/x-ms-attestation-type", "tdxvm"), "UNSUPPORTED"},
      {"J50 policy hash", WithPayload("/x-ms-policy-hash", std::string(43, 'A')),
       "CLAIMS_MISMATCH"},
      {"J50 no policy hash", WithPayload("/x-ms-policy-hash", std::nullopt), "CLAIM_TYPE"},
      {"J50 version", WithPayload("/x-ms-ver", "2.0"), "CLAIMS_MISMATCH"},
      {"J50 type", WithPayload("/x-ms-attestation-type", "tpm"), "CLAIMS_MISMATCH"},
      {"J50 hardware type", WithPayload("/x-ms-isolation-tee/x-ms-attestation-type", "other"),
       "CLAIMS_MISMATCH"},
      {"J50 compliance", WithPayload("/x-ms-isolation-tee/x-ms-compliance-status", "none"),
       "CLAIMS_MISMATCH"},
  });
}

TEST(MaaBadInput, DatesAreRequiredAndPlausible) {
  const int64_t now = absl::ToUnixSeconds(kNow);
  std::vector<BadToken> rows;
  for (const char* name : {"/exp", "/nbf", "/iat"}) {
    rows.push_back({"J34 missing", WithPayload(name, std::nullopt), "TIME_INVALID"});
    for (const json& value : {json(nullptr), json("1780272000"), json(1.9e9), json(-1), json(0),
                              json(uint64_t{1} << 63), json(253402300800)}) {
      rows.push_back({name, WithPayload(name, value), "TIME_INVALID"});
    }
  }
  rows.insert(rows.end(),
              {{"J34 beyond 64 bits",
                Maa().Sign(GoodHeader(), Edit(GoodPayload(), "/exp", std::nullopt)
                                             .insert(1, "\"exp\":18446744073709551616,")),
                "MALFORMED"},
               {"J34 past by the skew", WithPayload("/exp", now - 60), "TIME_INVALID"},
               {"J34 more than a day ahead", WithPayload("/exp", now + 86461), "TIME_INVALID"},
               {"J35 nbf ahead", WithPayload("/nbf", now + 61), "TIME_INVALID"},
               {"J35 iat ahead", WithPayload("/iat", now + 61), "TIME_INVALID"},
               {"J35 iat after exp",
                Maa().Sign(GoodHeader(), Edit(Edit(GoodPayload(), "/exp", now - 30), "/iat", now)),
                "TIME_INVALID"}});
  ExpectRefused(rows);
  EXPECT_THAT(Appraise(WithPayload("/exp", now + 86460)), IsAccepted());
  EXPECT_THAT(Appraise(WithPayload("/nbf", now + 60)), IsAccepted());
}

TEST(MaaBadInput, NonceCountsInItsOwnPlaceOnly) {
  const std::string good = json::parse(GoodPayload())["x-ms-runtime"]["client-payload"]["nonce"];
  ExpectRefused({
      {"J38 number", WithPayload("/x-ms-runtime/client-payload/nonce", 1), "NONCE_MISMATCH"},
      {"J38 null", WithPayload("/x-ms-runtime/client-payload/nonce", nullptr), "NONCE_MISMATCH"},
      {"J39 array", WithPayload("/x-ms-runtime/client-payload/nonce", json::array({good, "x"})),
       "NONCE_MISMATCH"},
  });
  const auto misplaced = Appraise(Maa().Sign(
      GoodHeader(), Edit(Edit(GoodPayload(), "/x-ms-runtime/client-payload/nonce", std::nullopt),
                         "/nonce", good)));
  ASSERT_THAT(misplaced, IsAccepted());
  EXPECT_EQ(misplaced->freshness(), Freshness::kNone);
}

TEST(MaaBadInput, RecipientKeyIsOneSoundVtpmKey) {
  const std::string keys = "/x-ms-runtime/keys";
  const json key = json::parse(GoodPayload())["x-ms-runtime"]["keys"][0];
  const auto with_key = [&](const char* name, const std::optional<json>& value) {
    return WithPayload(keys, json::array({json::parse(Edit(key.dump(), name, value))}));
  };
  const Bytes short_modulus = absl::StrCat("\xc1", Bytes(126, '\x5c'), "\x01");
  ExpectRefused({
      {"J40 no runtime", WithPayload("/x-ms-runtime", std::nullopt), "KEY_BINDING"},
      {"J40 no keys", WithPayload(keys, std::nullopt), "KEY_BINDING"},
      {"J40 empty keys", WithPayload(keys, json::array()), "KEY_BINDING"},
      {"J40 two keys", WithPayload(keys, json::array({key, key})), "KEY_BINDING"},
      {"J40 another kid", with_key("/kid", "HCLAkPub"), "KEY_BINDING"},
      {"J40 extra member", with_key("/x5c", json::array()), "KEY_BINDING"},
      {"J41 private", with_key("/d", "AQAB"), "KEY_BINDING"},
      {"J41 oct", with_key("/kty", "oct"), "KEY_BINDING"},
      {"J41 RSA 1024", with_key("/n", Base64UrlEncode(AsBytes(short_modulus))), "KEY_BINDING"},
      {"J41 exponent 1", with_key("/e", "AQ"), "KEY_BINDING"},
      {"J41 exponent 3", with_key("/e", "Aw"), "KEY_BINDING"},
      {"J41 no modulus", with_key("/n", std::nullopt), "KEY_BINDING"},
      {"J40 key in the platform layout", WithPayload("/x-ms-attestation-type", "sevsnpvm"),
       "CLAIMS_MISSING"},
  });
  const json other = {{"kid", "other"}, {"kty", "EC"}};
  EXPECT_THAT(Appraise(WithPayload(keys, json::array({other, key}))), IsAccepted());
}

TEST(MaaBadInput, PlatformTokenIsForInspectionOnly) {
  json payload = json::parse(GoodPayload());
  for (const auto& [name, value] : payload["x-ms-isolation-tee"].items()) {
    if (name != "x-ms-runtime") payload[name] = value;
  }
  payload.erase("x-ms-isolation-tee");
  const Evidence evidence = TokenEvidence(Maa().Sign(GoodHeader(), payload.dump()));
  // Its x-ms-runtime is what the caller sent along: the key in it binds nothing.
  EXPECT_THAT(TestVerifiers().Appraise(evidence, TestBinding(), kNow), RefusedAs("KEY_BINDING"));
  const auto inspected = TestVerifiers().Appraise(evidence, std::nullopt, kNow);
  ASSERT_THAT(inspected, IsAccepted());
  EXPECT_EQ(ClaimOf<std::string>(*inspected, "azure.attestation_type"), "sevsnpvm");
  EXPECT_EQ(inspected->claims().Find("azure.vm_id"), nullptr);
}

TEST(MaaBadInput, ClaimsHaveExactlyTheirType) {
  const std::string tee = "/x-ms-isolation-tee/x-ms-sevsnpvm-";
  const std::string hex = json::parse(GoodPayload())[json::json_pointer(tee + "launchmeasurement")];
  std::vector<BadToken> rows = {
      {"J42 debug missing", WithPayload(tee + "is-debuggable", std::nullopt), "CLAIMS_MISSING"},
      {"J42 debug text", WithPayload(tee + "is-debuggable", "false"), "CLAIM_TYPE"},
      {"J42 debug 0", WithPayload(tee + "is-debuggable", 0), "CLAIM_TYPE"},
      {"J45 measurement missing", WithPayload(tee + "launchmeasurement", std::nullopt),
       "CLAIMS_MISSING"},
      {"J46 name in other case",
       Maa().Sign(GoodHeader(), Edit(Edit(GoodPayload(), tee + "launchmeasurement", std::nullopt),
                                     tee + "LaunchMeasurement", hex)),
       "CLAIMS_MISSING"},
      {"J46 name with a blank",
       Maa().Sign(GoodHeader(), Edit(Edit(GoodPayload(), tee + "launchmeasurement", std::nullopt),
                                     tee + "launchmeasurement ", hex)),
       "CLAIMS_MISSING"},
      {"vm id", WithPayload("/x-ms-azurevm-vmid", "5A1E0C1D-0000-4000-8000-1A7C4BE70002"),
       "CLAIMS_MISMATCH"},
  };
  for (const json& value :
       {json(1), json::array(), json::object(), json(absl::StrCat("0x", hex.substr(2))),
        json(" " + hex), json(absl::StrCat("4D", hex.substr(2))), json(Base64Encode(AsBytes(hex))),
        json(hex.substr(1)), json(hex + "00"), json(absl::StrCat("\xef\xbc\x94", hex.substr(3))),
        json("")}) {
    rows.push_back({"J43", WithPayload(tee + "launchmeasurement", value), "CLAIM_TYPE"});
  }
  for (const json& value :
       {json("24"), json(24.0), json(-1), json(256), json(UINT64_MAX), json(true), json(nullptr)}) {
    rows.push_back({"J44", WithPayload(tee + "snpfw-svn", value), "CLAIM_TYPE"});
  }
  ExpectRefused(rows);
}

TEST(MaaBadInput, RuntimeMustHashToTheReportData) {
  const std::string runtime = "/x-ms-isolation-tee/x-ms-runtime";
  ExpectRefused({
      {"vm id",
       WithPayload(runtime + "/vm-configuration/vmUniqueId",
                   "5A1E0C1D-0000-4000-8000-1A7C4BE70002"),
       "CLAIMS_MISMATCH"},
      {"user data", WithPayload(runtime + "/user-data", std::string(128, 'a')), "CLAIMS_MISMATCH"},
      {"no user data", WithPayload(runtime + "/user-data", std::nullopt), "CLAIMS_MISMATCH"},
      {"more configuration", WithPayload(runtime + "/vm-configuration/tpm-persisted", true),
       "CLAIMS_MISMATCH"},
      {"another key", WithPayload(runtime + "/keys/0/n", "AQAB"), "CLAIMS_MISMATCH"},
      {"member beside", WithPayload(runtime + "/extra", 1), "CLAIMS_MISMATCH"},
      {"member of a key", WithPayload(runtime + "/keys/0/alg", "RS256"), "CLAIMS_MISMATCH"},
      {"key no object", WithPayload(runtime + "/keys/0", 1), "CLAIMS_MISMATCH"},
      {"no configuration", WithPayload(runtime + "/vm-configuration", std::nullopt),
       "CLAIMS_MISMATCH"},
      {"no runtime", WithPayload(runtime, std::nullopt), "CLAIMS_MISSING"},
      {"another report data",
       WithPayload("/x-ms-isolation-tee/x-ms-sevsnpvm-reportdata", std::string(128, '0')),
       "CLAIMS_MISMATCH"},
  });
}

TEST(MaaBadInput, OtherOrderAndWhiteSpaceAreAccepted) {
  EXPECT_THAT(Appraise(Maa().Sign(GoodHeader(), json::parse(GoodPayload()).dump(2))), IsAccepted());
  const std::string issuer = absl::StrCat("\"iss\":\"", Maa().issuer(), "\"");
  std::string payload = Edit(GoodPayload(), "/iss", std::nullopt);
  EXPECT_THAT(Appraise(Maa().Sign(GoodHeader(), payload.insert(payload.size() - 1, "," + issuer))),
              IsAccepted());
}

}  // namespace
}  // namespace latchkey::attestation
