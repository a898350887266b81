#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/attestation/snp/report.h"

namespace latchkey::attestation::snp {

// `Product` is an AMD product line: what has an ARK of its own.
struct Product {
  std::string name;  // "Milan", "Genoa", "Turin", as certificates write it
  TcbLayout layout;
};

// `ProductOfCpu` returns the line of a processor (Bergamo and Siena are of the Genoa line); nullopt
// when unknown.
std::optional<Product> ProductOfCpu(const Cpuid& cpuid);

// `ProductOfCertificate` returns the line of a certificate's product name, with or without stepping
// ("Milan-B0").
std::optional<Product> ProductOfCertificate(std::string_view product_name);

}  // namespace latchkey::attestation::snp
