#include "nn/initialize.h"

#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "base/random.h"

namespace pyfm {

namespace {

constexpr std::array<std::string_view, 5> kNames = {"constant", "he_uniform", "he_normal",
                                                    "xavier_uniform", "xavier_normal"};

// Box and Muller 1958, from 53 and 64 random bits; u > 0.
double normal(std::uint64_t key, std::uint64_t position) {
  const double u = (static_cast<double>(mix64(key + 2 * position) >> 11) + 1) * 0x1p-53;
  const double v = static_cast<double>(mix64(key + 2 * position + 1)) * 0x1p-64;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

// On [-1, 1).
double uniform(std::uint64_t key, std::uint64_t position) {
  return static_cast<double>(mix64(key + position) >> 11) * 0x1p-52 - 1;
}

}  // namespace

Scheme find_scheme(std::string_view name) {
  std::string known;
  for (std::size_t i = 1; i < kNames.size(); ++i) {  // a constant has no name of its own
    if (kNames[i] == name) return static_cast<Scheme>(i);
    known += (known.empty() ? "'" : ", '") + std::string(kNames[i]) + "'";
  }
  throw std::invalid_argument("init: expected one of " + known + ", found '" + std::string(name) +
                              "'");
}

void initialize(Matrix to, Start start, std::uint64_t key) {
  const auto n_in = static_cast<double>(to.rows), n_out = static_cast<double>(to.columns);
  const bool he = start.scheme == Scheme::he_uniform || start.scheme == Scheme::he_normal;
  const double deviation = std::sqrt(he ? 2 / n_in : 2 / (n_in + n_out));
  for (Index i = 0; i < to.rows; ++i) {
    const std::uint64_t row_key = random_key(key, static_cast<std::uint64_t>(i));
    for (Index j = 0; j < to.columns; ++j) {
      const auto at = static_cast<std::uint64_t>(j);
      switch (start.scheme) {
        case Scheme::constant:
          to.row(i)[j] = start.value;
          break;
        case Scheme::he_normal:
        case Scheme::xavier_normal:
          to.row(i)[j] = static_cast<float>(deviation * normal(row_key, at));
          break;
        case Scheme::he_uniform:
        case Scheme::xavier_uniform:  // variance of the uniform on [-a, a): a² / 3
          to.row(i)[j] = static_cast<float>(deviation * std::sqrt(3.0) * uniform(row_key, at));
          break;
      }
    }
  }
}

}  // namespace pyfm
