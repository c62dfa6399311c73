// A BLAS for the tests, which need no other.
#pragma once

namespace pyfm {

// Everything that stands still is in a variable of its own: sanitizers watch each use of a pointer.
inline void naive_sgemm(char* ta, char* tb, int* m, int* n, int* k, float* alpha, float* a,
                        int* lda, float* b, int* ldb, float* beta, float* c, int* ldc) {
  const int rows = *m, columns = *n, depth = *k, stride = *ldc;
  const int down_a = *ta == 'T' ? *lda : 1, along_a = *ta == 'T' ? 1 : *lda;
  const int across_b = *tb == 'T' ? 1 : *ldb, along_b = *tb == 'T' ? *ldb : 1;
  const float factor = *alpha, kept = *beta;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      float sum = 0;
      for (int l = 0; l < depth; ++l)
        sum += a[i * down_a + l * along_a] * b[j * across_b + l * along_b];
      float& to = c[i + j * stride];
      to = factor * sum + (kept == 0 ? 0 : kept * to);
    }
}

}  // namespace pyfm
