// Expands the catalog into the kernel table of one SIMD level. A unit that includes this defines
// PYFM_ISA first and includes the level's Vec.
#pragma once
#include "model/locate.h"
#include "train/catalog.h"
#include "train/kernels.h"

namespace pyfm::PYFM_ISA {
namespace {

// What does not depend on the optimizer: a function each, not a copy for every optimizer.
template <class P>
float score(const PartView& v, const Entries& row, Scratch& s) noexcept {
  return P::score(v, row, s);
}
template <class P>
void init_weights(const PartView& v, RowId r, FeatureId j) noexcept {
  P::init_weights(v, r, j);
}

template <class P, class O>
constexpr PartKernels part_kernels() {
  PartKernels k{};
  if constexpr (requires { &P::score; }) {
    k.locate = &locate;
    k.score = &score<P>;
    k.squared_slope = P::squared_slope;
    k.init_weights = &init_weights<P>;
    k.update = [](const PartView& v, float dscore, Scratch& s) noexcept {
      P::template update<O>(v, dscore, s);
    };
    k.merge_rows = [](const PartView& v, RowId begin, RowId end, const Scratch& s) noexcept {
      P::template merge_rows<O>(v, begin, end, s);
    };
  }
  k.init_slots = [](const PartView& v, RowId r) noexcept { P::template init_slots<O>(v, r); };
  k.gradient_width = P::gradient_width;
  k.squared_norms = P::squared_norms;
  k.step_rows = P::template step_rows<O>;
  if constexpr (requires { P::add_touches; }) k.add_touches = P::add_touches;
  if constexpr (requires { P::add_embedded; }) {
    k.embed = P::embed;
    k.add_embedded = P::add_embedded;
  }
  if constexpr (requires { P::add_example; }) k.add_example = P::add_example;
  if constexpr (requires { P::add_sums; }) k.add_sums = P::add_sums;
  if constexpr (requires { P::template step_bias<O>; }) k.step_bias = P::template step_bias<O>;
  if constexpr (requires(const PartView& v) { P::template init_bias<O>(v); })
    k.init_bias = [](const PartView& v) noexcept { P::template init_bias<O>(v); };
  if constexpr (requires(const PartView& v, Scratch& s) { P::template init_scratch<O>(v, s); })
    k.init_scratch = [](const PartView& v, Scratch& s) noexcept {
      P::template init_scratch<O>(v, s);
    };
  return k;
}

template <template <int, class> class... P, class... O, int... K, class... S>
constexpr auto expand(ListOfTemplates<P...>, List<O...>, std::integer_sequence<int, K...>,
                      List<S...>) {
  static_assert(sizeof...(S) == kStorages);
  struct {
    OptimizerInfo optimizers[sizeof...(O)] = {O::info...};
    int block_sizes[sizeof...(K)] = {K...};
    PartKernels kernels[sizeof...(P) * sizeof...(O) * 2 * sizeof...(K) * sizeof...(S)] = {};
  } t;
  PartKernels* next = t.kernels;
  const auto storages = [&]<template <int, class> class Q, class Opt, bool proximal, int Size>() {
    using Policy = typename Opt::template Policy<proximal>;
    ((*next++ = part_kernels<Q<Opt::template size<Q, Size, proximal>, S>, Policy>()), ...);
  };
  const auto sizes = [&]<template <int, class> class Q, class Opt, bool proximal>() {
    (storages.template operator()<Q, Opt, proximal, K>(), ...);
  };
  const auto optimizers = [&]<template <int, class> class Q>() {
    ((sizes.template operator()<Q, O, false>(), sizes.template operator()<Q, O, true>()), ...);
  };
  (optimizers.template operator()<P>(), ...);
  return t;
}

constexpr auto table = expand(Parts{}, Optimizers{}, BlockSizes{}, Storages{});

}  // namespace
}  // namespace pyfm::PYFM_ISA

#define PYFM_CONCAT(a, b) a##b
#define PYFM_TABLE_NAME(isa) PYFM_CONCAT(kernels_, isa)

namespace pyfm {
extern const KernelTable PYFM_TABLE_NAME(PYFM_ISA);
const KernelTable PYFM_TABLE_NAME(PYFM_ISA) = {
    PYFM_ISA::table.optimizers, PYFM_ISA::table.block_sizes, PYFM_ISA::table.kernels};
}  // namespace pyfm
