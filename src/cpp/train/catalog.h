// THE list: what is named here is compiled for every SIMD level and reachable by name.
#pragma once
#include <type_traits>
#include <utility>

#include "model/ffm.h"
#include "model/fm.h"
#include "model/linear.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/ftrl.h"
#include "optim/momentum.h"
#include "optim/proximal.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"

namespace pyfm::PYFM_ISA {
namespace {

template <class...>
struct List {};

// Kernels are compiled once per optimizer and block size, and there are more of them than anyone
// wants to wait for. An optimizer that CTR models live on has kernels for every block size, which
// do nothing but its step; those that also clip or shrink serve all sizes.
template <class O>
struct EverySize {
  static constexpr OptimizerInfo info = O::info;
  template <bool proximal>
  using Policy = std::conditional_t<proximal, Proximal<O>, O>;
  static constexpr int size_of(int block, bool proximal) { return proximal ? 0 : block; }
};

// Of the others there is one kernel for everything.
template <class O>
struct AnySize {
  static constexpr OptimizerInfo info = O::info;
  template <bool>
  using Policy = Proximal<O>;
  static constexpr int size_of(int, bool) { return 0; }
};

// Sizes of a block that kernels know at compile time; 0 serves all others.
#ifdef PYFM_FEW_KERNELS  // sanitizers take their time
template <class O>
using EverySizeIfMany = AnySize<O>;
using BlockSizes = std::integer_sequence<int, 0, 4>;
#else
template <class O>
using EverySizeIfMany = EverySize<O>;
using BlockSizes = std::integer_sequence<int, 0, 4, 8, 16, 32>;
#endif

using Optimizers = List<EverySizeIfMany<Sgd>, AnySize<Momentum>, AnySize<Nesterov>,
                        EverySize<AdaGrad>, AnySize<RmsProp>, AnySize<Adam>, EverySizeIfMany<Ftrl>>;

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
