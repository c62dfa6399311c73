// Expands the catalog into the kernel table of one SIMD level. A unit that includes this defines
// PYFM_ISA first and includes the level's Vec.
#pragma once
#include "train/catalog.h"
#include "train/kernels.h"

namespace pyfm::PYFM_ISA {
namespace {

template <class P, class O>
constexpr PartKernels part_kernels() {
  PartKernels k{};
  k.score = [](const PartView& v, const Entries& row, Scratch& s) noexcept {
    return P::score(v, row, s);
  };
  k.update = [](const PartView& v, float dscore, Scratch& s) noexcept {
    P::template update<O>(v, dscore, s);
  };
  k.init_row = [](const PartView& v, FeatureId j) noexcept { P::template init_row<O>(v, j); };
  if constexpr (requires(const PartView& v) { P::template init_bias<O>(v); })
    k.init_bias = [](const PartView& v) noexcept { P::template init_bias<O>(v); };
  if constexpr (requires(const PartView& v, Scratch& s) { P::template init_scratch<O>(v, s); })
    k.init_scratch = [](const PartView& v, Scratch& s) noexcept {
      P::template init_scratch<O>(v, s);
    };
  return k;
}

template <template <int> class... P, class... O, int... K>
constexpr auto expand(ListBySize<P...>, List<O...>, std::integer_sequence<int, K...>) {
  struct {
    OptimizerInfo optimizers[sizeof...(O)] = {O::info...};
    int block_sizes[sizeof...(K)] = {K...};
    PartKernels kernels[sizeof...(P) * sizeof...(O) * sizeof...(K)] = {};
  } t;
  PartKernels* next = t.kernels;
  const auto sizes = [&]<template <int> class Q, class Opt>() {
    ((*next++ = part_kernels<Q<K>, Opt>()), ...);
  };
  const auto optimizers = [&]<template <int> class Q>() {
    (sizes.template operator()<Q, O>(), ...);
  };
  (optimizers.template operator()<P>(), ...);
  return t;
}

constexpr auto table = expand(Parts{}, Optimizers{}, BlockSizes{});

}  // namespace
}  // namespace pyfm::PYFM_ISA

#define PYFM_CONCAT(a, b) a##b
#define PYFM_TABLE_NAME(isa) PYFM_CONCAT(kernels_, isa)

namespace pyfm {
extern const KernelTable PYFM_TABLE_NAME(PYFM_ISA);
const KernelTable PYFM_TABLE_NAME(PYFM_ISA) = {
    PYFM_ISA::table.optimizers, PYFM_ISA::table.block_sizes, PYFM_ISA::table.kernels};
}  // namespace pyfm
