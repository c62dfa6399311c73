// How parameters start.
#pragma once
#include <cstdint>
#include <string_view>

#include "nn/matrix.h"

namespace pyfm {

// He et al. 2015: variance 2 / fan_in, for ReLU and its kin. Xavier (Glorot, Bengio 2010):
// variance 2 / (fan_in + fan_out), for tanh and sigmoid.
enum class Scheme { constant, he_uniform, he_normal, xavier_uniform, xavier_normal };

struct Start {
  Scheme scheme = Scheme::constant;
  float value = 0;  // of the constant
};

// Throws std::invalid_argument that lists the names.
Scheme find_scheme(std::string_view name);

// A pure function of (key, row, column), and of the sizes: fan_in = rows, fan_out = columns.
void initialize(Matrix, Start, std::uint64_t key);

}  // namespace pyfm
