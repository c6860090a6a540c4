/* sluice's byte kernels: static inline masks over 64 bytes (SSE2, NEON or portable) and whole-buffer functions. */
#ifndef SLUICE_CKERNELS_H
#define SLUICE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Bit i of the result is set where p[i] == c; reads 64 bytes. */
#if defined(__SSE2__)
#include <emmintrin.h>
static inline uint64_t sluice_eq64(const uint8_t *p, uint8_t c) {
  const __m128i v = _mm_set1_epi8((char)c);
  uint64_t m = 0;
  for (int i = 0; i < 4; i++)
    m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + 16 * i)), v)) << (16 * i);
  return m;
}
static inline uint64_t sluice_high64(const uint8_t *p) {
  uint64_t m = 0;
  for (int i = 0; i < 4; i++)
    m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(p + 16 * i))) << (16 * i);
  return m;
}
#elif defined(__aarch64__)
#include <arm_neon.h>
static inline uint64_t sluice_pack64(uint8x16_t a, uint8x16_t b, uint8x16_t d, uint8x16_t e) {
  uint8x16_t s = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(d, e));
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(s, s)), 0);
}
static inline uint64_t sluice_eq64(const uint8_t *p, uint8_t c) {
  const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128}, v = vdupq_n_u8(c);
  return sluice_pack64(vandq_u8(vceqq_u8(vld1q_u8(p), v), bit), vandq_u8(vceqq_u8(vld1q_u8(p + 16), v), bit),
                       vandq_u8(vceqq_u8(vld1q_u8(p + 32), v), bit), vandq_u8(vceqq_u8(vld1q_u8(p + 48), v), bit));
}
static inline uint64_t sluice_high64(const uint8_t *p) {
  const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128}, v = vdupq_n_u8(0x80);
  return sluice_pack64(vandq_u8(vcgeq_u8(vld1q_u8(p), v), bit), vandq_u8(vcgeq_u8(vld1q_u8(p + 16), v), bit),
                       vandq_u8(vcgeq_u8(vld1q_u8(p + 32), v), bit), vandq_u8(vcgeq_u8(vld1q_u8(p + 48), v), bit));
}
#else
static inline uint64_t sluice_eq64(const uint8_t *p, uint8_t c) {
  uint64_t m = 0;
  for (int i = 0; i < 64; i++) m |= (uint64_t)(p[i] == c) << i;
  return m;
}
static inline uint64_t sluice_high64(const uint8_t *p) {
  uint64_t m = 0;
  for (int i = 0; i < 64; i++) m |= (uint64_t)(p[i] >> 7) << i;
  return m;
}
#endif

/* Length of the ASCII run at the start of p[0..n). */
size_t sluice_ascii_prefix(const uint8_t *p, size_t n);
/* Index of the first byte that a JSON string must escape or that ends one: '"', '\\' or below 0x20; n if none. */
size_t sluice_json_plain_prefix(const uint8_t *p, size_t n);
/* Counts letters, digits, white space (9...13, 32) and '#' in the whole blocks of 64 ASCII bytes at the start of p[0..n), into
   counts[0...3] (added); returns the bytes of those blocks. */
size_t sluice_ascii_counts(const uint8_t *p, size_t n, uint64_t counts[4]);
/* 1 if p[0..n) is well-formed UTF-8 (Unicode 16, table 3-7), else 0. */
int sluice_utf8_valid(const uint8_t *p, size_t n);

/* 112 MinHash minima, 14 x 8: minima[k] = min over hashes h of ((h * a[k] + b[k]) mod 2^64) mod (2^61 - 1).
   minima must hold 112 values and is overwritten. Dispatched at start: AVX-512, AVX2 or portable. */
void sluice_minhash_minima(const uint64_t *hashes, size_t count, const uint64_t *a, const uint64_t *b, size_t permutations, uint64_t *minima);
/* The plain form of the same function: the reference of the differential test. */
void sluice_minhash_minima_portable(const uint64_t *hashes, size_t count, const uint64_t *a, const uint64_t *b, size_t permutations, uint64_t *minima);

/* Frozen Unicode 16.0 tables, made by Tools/unicode/generate.py. Two-stage: block = index[cp >> 8], value = blocks[block * 256 + (cp & 255)].
   category: general category 0...29 in the order of Unicode's list (Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn). */
extern const uint8_t sluice_category_index[4352];
extern const uint8_t sluice_category_blocks[];
/* Canonical combining class, same two stages. */
extern const uint8_t sluice_combining_index[4352];
extern const uint8_t sluice_combining_blocks[];
/* Canonical decomposition, full (recursively decomposed), without Hangul syllables: sorted code points; the decomposition
   of keys[i] is values[offsets[i] ..< offsets[i + 1]]. */
extern const uint32_t sluice_decomposition_count;
extern const uint32_t sluice_decomposition_keys[];
extern const uint16_t sluice_decomposition_offsets[];
extern const uint32_t sluice_decomposition_values[];
/* Primary composites (exclusions removed), sorted by first then second: pairs[2 * i], pairs[2 * i + 1] compose to results[i]. */
extern const uint32_t sluice_composition_count;
extern const uint32_t sluice_composition_pairs[];
extern const uint32_t sluice_composition_results[];
/* Full lower-case mapping without context rules: sorted keys, values as above. */
extern const uint32_t sluice_lower_count;
extern const uint32_t sluice_lower_keys[];
extern const uint16_t sluice_lower_offsets[];
extern const uint32_t sluice_lower_values[];

/* Accessors, inlined into Swift; a code point above 0x10FFFF has category Cn (29) and class 0. */
static inline uint8_t sluice_category(uint32_t cp) {
  return cp < 0x110000 ? sluice_category_blocks[(uint32_t)sluice_category_index[cp >> 8] << 8 | (cp & 255)] : 29;
}
static inline uint8_t sluice_combining_class(uint32_t cp) {
  return cp < 0x110000 ? sluice_combining_blocks[(uint32_t)sluice_combining_index[cp >> 8] << 8 | (cp & 255)] : 0;
}
static inline const uint32_t *sluice_mapping_find(const uint32_t *keys, const uint16_t *offsets, const uint32_t *values, uint32_t count,
                                                  uint32_t cp, uint32_t *length) {
  uint32_t low = 0, high = count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (keys[middle] < cp) low = middle + 1; else high = middle;
  }
  if (low == count || keys[low] != cp) { *length = 0; return 0; }
  *length = (uint32_t)(offsets[low + 1] - offsets[low]);
  return values + offsets[low];
}
/* Full canonical decomposition of cp (no Hangul), or null; length in code points. */
static inline const uint32_t *sluice_decompose(uint32_t cp, uint32_t *length) {
  return sluice_mapping_find(sluice_decomposition_keys, sluice_decomposition_offsets, sluice_decomposition_values, sluice_decomposition_count, cp, length);
}
/* Full lower-case mapping of cp, or null where it maps to itself. */
static inline const uint32_t *sluice_lower(uint32_t cp, uint32_t *length) {
  return sluice_mapping_find(sluice_lower_keys, sluice_lower_offsets, sluice_lower_values, sluice_lower_count, cp, length);
}
/* Primary composite of two code points (no Hangul), or 0. */
static inline uint32_t sluice_compose(uint32_t first, uint32_t second) {
  uint32_t low = 0, high = sluice_composition_count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2, f = sluice_composition_pairs[2 * middle], s = sluice_composition_pairs[2 * middle + 1];
    if (f < first || (f == first && s < second)) low = middle + 1; else high = middle;
  }
  return low < sluice_composition_count && sluice_composition_pairs[2 * low] == first && sluice_composition_pairs[2 * low + 1] == second
             ? sluice_composition_results[low] : 0;
}

/* Swift does not see arrays of unknown length: the keys of the tables, one by one, for those that build tables of their own. */
static inline uint32_t sluice_lower_key(uint32_t index) { return sluice_lower_keys[index]; }
static inline uint32_t sluice_decomposition_key(uint32_t index) { return sluice_decomposition_keys[index]; }
static inline uint32_t sluice_composition_second(uint32_t index) { return sluice_composition_pairs[2 * index + 1]; }

#endif
