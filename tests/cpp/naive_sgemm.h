// A BLAS for the tests, which need no other.
#pragma once

namespace pyfm {

inline void naive_sgemm(char* ta, char* tb, int* m, int* n, int* k, float* alpha, float* a,
                        int* lda, float* b, int* ldb, float* beta, float* c, int* ldc) {
  for (int i = 0; i < *m; ++i)
    for (int j = 0; j < *n; ++j) {
      float sum = 0;
      for (int l = 0; l < *k; ++l)
        sum += (*ta == 'T' ? a[l + i * *lda] : a[i + l * *lda]) *
               (*tb == 'T' ? b[j + l * *ldb] : b[l + j * *ldb]);
      float& to = c[i + j * *ldc];
      to = *alpha * sum + (*beta == 0 ? 0 : *beta * to);
    }
}

}  // namespace pyfm
