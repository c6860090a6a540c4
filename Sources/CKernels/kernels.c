/* Whole-buffer kernels: one call handles a document or a batch. */
#include "CKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

size_t sluice_ascii_prefix(const uint8_t *p, size_t n) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const uint64_t m = sluice_high64(p + i);
    if (m) return i + (size_t)__builtin_ctzll(m);
  }
  while (i < n && p[i] < 0x80) i++;
  return i;
}

size_t sluice_ascii_counts(const uint8_t *p, size_t n, uint64_t counts[4]) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    if (sluice_high64(p + i)) break;
    uint8_t letters = 0, digits = 0, spaces = 0, hashes = 0;
    for (int k = 0; k < 64; k++) {
      const uint8_t b = p[i + k];
      letters += (uint8_t)((b | 0x20) - 'a') < 26;
      digits += (uint8_t)(b - '0') < 10;
      spaces += (b == ' ') | ((uint8_t)(b - 9) < 5);
      hashes += b == '#';
    }
    counts[0] += letters;
    counts[1] += digits;
    counts[2] += spaces;
    counts[3] += hashes;
  }
  return i;
}

size_t sluice_json_plain_prefix(const uint8_t *p, size_t n) {
  size_t i = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
  for (; i + 16 <= n; i += 16) {
    const __m128i v = _mm_loadu_si128((const __m128i *)(p + i));
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
                                     _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
    const unsigned m = (unsigned)_mm_movemask_epi8(hit);
    if (m) return i + (size_t)__builtin_ctz(m);
  }
#endif
  while (i < n && p[i] != '"' && p[i] != '\\' && p[i] >= 0x20) i++;
  return i;
}

/* Table 3-7 of the Unicode standard, scalar; the differential test compares it with Swift's own decoder. */
static int utf8_valid_scalar(const uint8_t *p, size_t n) {
  size_t i = 0;
  while (i < n) {
    const uint8_t b = p[i];
    if (b < 0x80) { i += sluice_ascii_prefix(p + i, n - i); continue; }
    if (b < 0xC2) return 0;
    if (b < 0xE0) {
      if (n - i < 2 || (p[i + 1] & 0xC0) != 0x80) return 0;
      i += 2;
    } else if (b < 0xF0) {
      if (n - i < 3) return 0;
      const uint8_t low = b == 0xE0 ? 0xA0 : 0x80, high = b == 0xED ? 0x9F : 0xBF;
      if (p[i + 1] < low || p[i + 1] > high || (p[i + 2] & 0xC0) != 0x80) return 0;
      i += 3;
    } else if (b < 0xF5) {
      if (n - i < 4) return 0;
      const uint8_t low = b == 0xF0 ? 0x90 : 0x80, high = b == 0xF4 ? 0x8F : 0xBF;
      if (p[i + 1] < low || p[i + 1] > high || (p[i + 2] & 0xC0) != 0x80 || (p[i + 3] & 0xC0) != 0x80) return 0;
      i += 4;
    } else {
      return 0;
    }
  }
  return 1;
}

int sluice_utf8_valid(const uint8_t *p, size_t n) { return utf8_valid_scalar(p, n); }

/* MinHash, datatrove's arithmetic (DT utils; the product wraps mod 2^64, then mod 2^61 - 1). */
#define MERSENNE61 ((1ULL << 61) - 1)

#define MINIMA_BODY                                                                     \
  for (size_t k = 0; k < permutations; k++) minima[k] = MERSENNE61;                     \
  for (size_t i = 0; i < count; i++) {                                                  \
    const uint64_t h = hashes[i];                                                       \
    for (size_t k = 0; k < permutations; k++) {                                         \
      uint64_t x = h * a[k] + b[k];                                                     \
      x = (x & MERSENNE61) + (x >> 61);                                                 \
      x = x >= MERSENNE61 ? x - MERSENNE61 : x;                                         \
      minima[k] = x < minima[k] ? x : minima[k];                                        \
    }                                                                                   \
  }

__attribute__((noinline)) void sluice_minhash_minima_portable(const uint64_t *hashes, size_t count, const uint64_t *a, const uint64_t *b,
                                                              size_t permutations, uint64_t *minima) {
  MINIMA_BODY
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl"))) static void minima_avx512(const uint64_t *restrict hashes, size_t count, const uint64_t *restrict a,
                                                                              const uint64_t *restrict b, size_t permutations, uint64_t *restrict minima) {
  /* Seven vectors of eight minima stay in registers while all hashes pass: two rounds for 112. */
  const __m512i modulus = _mm512_set1_epi64((long long)MERSENNE61);
  size_t k = 0;
  for (; k + 56 <= permutations; k += 56) {
    __m512i best[7], va[7], vb[7];
    for (int j = 0; j < 7; j++) {
      best[j] = modulus;
      va[j] = _mm512_loadu_si512(a + k + 8 * j);
      vb[j] = _mm512_loadu_si512(b + k + 8 * j);
    }
    for (size_t i = 0; i < count; i++) {
      const __m512i h = _mm512_set1_epi64((long long)hashes[i]);
      for (int j = 0; j < 7; j++) {
        __m512i x = _mm512_add_epi64(_mm512_mullo_epi64(h, va[j]), vb[j]);
        x = _mm512_add_epi64(_mm512_and_si512(x, modulus), _mm512_srli_epi64(x, 61));
        x = _mm512_min_epu64(x, _mm512_sub_epi64(x, modulus));
        best[j] = _mm512_min_epu64(best[j], x);
      }
    }
    for (int j = 0; j < 7; j++) _mm512_storeu_si512(minima + k + 8 * j, best[j]);
  }
  if (k < permutations) sluice_minhash_minima_portable(hashes, count, a + k, b + k, permutations - k, minima + k);
}

__attribute__((target("avx2"))) static void minima_avx2(const uint64_t *restrict hashes, size_t count, const uint64_t *restrict a, const uint64_t *restrict b,
                                                        size_t permutations, uint64_t *restrict minima) {
  MINIMA_BODY
}

static void (*minima_chosen)(const uint64_t *, size_t, const uint64_t *, const uint64_t *, size_t, uint64_t *) = sluice_minhash_minima_portable;

__attribute__((constructor)) static void choose_kernels(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) minima_chosen = minima_avx512;
  else if (__builtin_cpu_supports("avx2")) minima_chosen = minima_avx2;
}

void sluice_minhash_minima(const uint64_t *hashes, size_t count, const uint64_t *a, const uint64_t *b, size_t permutations, uint64_t *minima) {
  minima_chosen(hashes, count, a, b, permutations, minima);
}
#else
void sluice_minhash_minima(const uint64_t *hashes, size_t count, const uint64_t *a, const uint64_t *b, size_t permutations, uint64_t *minima) {
  sluice_minhash_minima_portable(hashes, count, a, b, permutations, minima);
}
#endif
