#include "broker/attestation/snp/cert_table.h"

#include "broker/attestation/test_evidence.h"

namespace latchkey::attestation::snp {
namespace {

constexpr char kVcekGuid[] = "63da758de6644564adc5f4b93be8accd";
constexpr char kAskGuid[] = "4ab7b379bbac4fe4a02f05aef327c782";
constexpr char kOtherGuid[] = "00112233445566778899aabbccddeeff";

struct TableEntry {
  const char* guid;
  uint32_t offset;
  uint32_t length;
};

Bytes Table(const std::vector<TableEntry>& entries, std::string_view payload) {
  Bytes out;
  for (const TableEntry& entry : entries) {
    out += *HexDecode(entry.guid);
    out.append(8, '\0');
    dev::PutU32Le(out, out.size() - 8, entry.offset);
    dev::PutU32Le(out, out.size() - 4, entry.length);
  }
  return out.append(24, '\0').append(payload);
}

bool Parses(const Bytes& table) { return ParseCertTable(AsBytes(table)).ok(); }

TEST(CertTable, PayloadsOfKnownEntriesAreReturned) {
  const Bytes table =
      Table({{kVcekGuid, 96, 4}, {kOtherGuid, 100, 2}, {kAskGuid, 102, 3}}, "vcekxxask");
  const auto payloads = ParseCertTable(AsBytes(table));
  ASSERT_TRUE(payloads.ok()) << payloads.status();
  ASSERT_EQ(payloads->size(), 2);
  EXPECT_EQ(AsText((*payloads)[0]), "vcek");
  EXPECT_EQ(AsText((*payloads)[1]), "ask");
}

TEST(CertTable, EntryMustLieBehindTheEntriesAndInsideTheTable) {
  EXPECT_TRUE(Parses(Table({{kVcekGuid, 48, 4}}, "vcek")));
  EXPECT_FALSE(Parses(Table({{kVcekGuid, 47, 4}}, "vcek")));
  EXPECT_FALSE(Parses(Table({{kVcekGuid, 48, 5}}, "vcek")));
  EXPECT_FALSE(Parses(Table({{kVcekGuid, 0xFFFFFFFF, 4}}, "vcek")));
  EXPECT_FALSE(Parses(Table({{kVcekGuid, 48, 0xFFFFFFFF}}, "vcek")));
}

TEST(CertTable, OverlapAndRepetitionAreRefused) {
  EXPECT_TRUE(Parses(Table({{kVcekGuid, 72, 4}, {kAskGuid, 76, 3}}, "vcekask")));
  EXPECT_FALSE(Parses(Table({{kVcekGuid, 72, 4}, {kAskGuid, 75, 3}}, "vcekask")));
  EXPECT_FALSE(Parses(Table({{kVcekGuid, 72, 4}, {kVcekGuid, 76, 3}}, "vcekask")));
}

TEST(CertTable, EveryPrefixWithoutItsEndIsRefused) {
  const Bytes table = Table({{kVcekGuid, 48, 4}}, "vcek");
  for (size_t size = 0; size < table.size(); ++size) {
    EXPECT_FALSE(Parses(table.substr(0, size))) << size;
  }
}

TEST(CertTable, TooManyEntriesAreRefused) {
  EXPECT_FALSE(Parses(Table(std::vector<TableEntry>(17, {kOtherGuid, 432, 0}), "")));
}

TEST(Endorsements, DerPemAndTableHoldTheSameCertificate) {
  const Bytes der = ToBytes(Tee().vcek().der());
  const Bytes pem = crypto::ToPem(Tee().vcek());
  for (const Bytes& payload : {der, pem}) {
    const Bytes table = Table({{kVcekGuid, 48, static_cast<uint32_t>(payload.size())}}, payload);
    for (const Bytes& endorsement : {payload, table}) {
      const auto certificates = ParseEndorsements({endorsement});
      ASSERT_TRUE(certificates.ok()) << certificates.status();
      ASSERT_EQ(certificates->size(), 1);
      EXPECT_EQ(AsText(certificates->front().der()), der);
    }
  }
}

TEST(Endorsements, WhatIsNoCertificateIsMalformed) {
  const Bytes der = ToBytes(Tee().vcek().der());
  for (const Bytes& bad : {Bytes(), Bytes("text"), der.substr(0, der.size() - 1), der + "x",
                           Bytes("-----BEGIN CERTIFICATE-----\nAAAA\n"), Bytes(65537, '0')}) {
    EXPECT_THAT(ParseEndorsements({bad}), RefusedAs("MALFORMED"));
  }
  EXPECT_THAT(ParseEndorsements(std::vector<Bytes>(17, der)), RefusedAs("MALFORMED"));
  EXPECT_THAT(ParseEndorsements(std::vector<Bytes>(16, der)), IsAccepted());
}

}  // namespace
}  // namespace latchkey::attestation::snp
