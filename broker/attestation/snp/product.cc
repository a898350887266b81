#include "broker/attestation/snp/product.h"

namespace latchkey::attestation::snp {
namespace {

Product Milan() { return {"Milan", TcbLayout::kMilanGenoa}; }
Product Genoa() { return {"Genoa", TcbLayout::kMilanGenoa}; }
Product Turin() { return {"Turin", TcbLayout::kTurin}; }

bool Between(uint8_t value, uint8_t low, uint8_t high) { return value >= low && value <= high; }

}  // namespace

// Families 19h and 1Ah by model number (AMD 57230, and the processor programming references).
std::optional<Product> ProductOfCpu(const Cpuid& cpuid) {
  if (cpuid.family == 0x19) {
    if (Between(cpuid.model, 0x00, 0x0F)) return Milan();
    if (Between(cpuid.model, 0x10, 0x1F) || Between(cpuid.model, 0xA0, 0xAF)) return Genoa();
  }
  if (cpuid.family == 0x1A && Between(cpuid.model, 0x00, 0x11)) return Turin();
  return std::nullopt;
}

std::optional<Product> ProductOfCertificate(std::string_view product_name) {
  const std::string_view line = product_name.substr(0, product_name.find('-'));
  if (line == "Milan") return Milan();
  if (line == "Genoa") return Genoa();
  if (line == "Turin") return Turin();
  return std::nullopt;
}

}  // namespace latchkey::attestation::snp
