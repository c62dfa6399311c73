// THE list: what is named here is compiled for every SIMD level and reachable by name.
#pragma once
#include <utility>

#include "model/ffm.h"
#include "model/fm.h"
#include "model/linear.h"
#include "optim/adagrad.h"
#include "optim/ftrl.h"
#include "optim/sgd.h"

namespace pyfm::PYFM_ISA {
namespace {

template <class...>
struct List {};

using Optimizers = List<Sgd, AdaGrad, Ftrl>;

// Sizes of a block that kernels know at compile time; 0 serves all others.
#ifdef PYFM_FEW_KERNELS  // sanitizers take their time
using BlockSizes = std::integer_sequence<int, 0, 4>;
#else
using BlockSizes = std::integer_sequence<int, 0, 4, 8, 16, 32>;
#endif

// In the order of enum Storage (model/view.h).
using Storages = List<float, Half>;

// In the order of enum Part (train/kernels.h); (block size, storage) -> kernels.
template <template <int, class> class...>
struct ListOfTemplates {};

// Linear weights are few: always float32.
template <int, class>
using LinearOfAnySize = Linear;

using Parts = ListOfTemplates<LinearOfAnySize, Fm, Ffm>;

}  // namespace
}  // namespace pyfm::PYFM_ISA
