// THE list: what is named here is compiled for every SIMD level and reachable by name.
#pragma once
#include <type_traits>
#include <utility>

#include "model/dense.h"
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

// Block sizes that a kernel cannot do without: those of FFM of which several fit a vector. The
// kernel for all sizes takes up to six times as long there.
template <template <int, class> class Part, int K>
inline constexpr int needed_size = 0;

// Sizes of a block that kernels know at compile time; 0 serves all others.
#ifdef PYFM_FEW_KERNELS  // sanitizers take their time
using BlockSizes = std::integer_sequence<int, 0, 4>;
#else
using BlockSizes = std::integer_sequence<int, 0, 4, 8, 16, 32>;
#endif
template <int K>
inline constexpr int needed_size<Ffm, K> = fields_per_vector<K> > 1 ? K : 0;

// Kernels are compiled once per optimizer and block size, and there are more of them than anyone
// wants to wait for. An optimizer that CTR models live on has kernels for every block size, which
// do nothing but its step; of those that also clip or shrink there are few.
template <class O>
struct EverySize {
  static constexpr OptimizerInfo info = O::info;
  template <bool proximal>
  using Policy = std::conditional_t<proximal, Proximal<O>, O>;
  template <template <int, class> class Part, int K, bool proximal>
  static constexpr int size = proximal ? needed_size<Part, K> : K;
};

// Of the others there are no more than those few, which do everything.
template <class O>
struct FewSizes {
  static constexpr OptimizerInfo info = O::info;
  template <bool>
  using Policy = Proximal<O>;
  template <template <int, class> class Part, int K, bool>
  static constexpr int size = needed_size<Part, K>;
};

#ifdef PYFM_FEW_KERNELS  // of each number of slots one
template <class O>
struct OneSize : FewSizes<O> {
  template <template <int, class> class, int, bool>
  static constexpr int size = 0;
};

template <class O>
struct PlainSizes : EverySize<O> {
  template <template <int, class> class Part, int K, bool proximal>
  static constexpr int size = proximal ? 0 : needed_size<Part, K>;
};

using Optimizers = List<OneSize<Sgd>, PlainSizes<AdaGrad>, OneSize<FtrlL1>, OneSize<Adam>>;
#else
using Optimizers = List<EverySize<Sgd>, FewSizes<Momentum>, FewSizes<Nesterov>, EverySize<AdaGrad>,
                        FewSizes<RmsProp>, FewSizes<Adam>, EverySize<Ftrl>, FewSizes<FtrlL1>>;
#endif

// In the order of enum Storage (model/view.h).
using Storages = List<float, Half>;

// In the order of enum Part (train/kernels.h); (block size, storage) -> kernels.
template <template <int, class> class...>
struct ListOfTemplates {};

// Linear weights, and those of networks, are few: always float32.
template <int, class>
using LinearOfAnySize = Linear;

template <int, class>
using DenseOfAnySize = DenseRows;

using Parts = ListOfTemplates<LinearOfAnySize, Fm, Ffm, DenseOfAnySize>;

}  // namespace
}  // namespace pyfm::PYFM_ISA
