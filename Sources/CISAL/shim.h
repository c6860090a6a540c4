#include <stdlib.h>
#include <string.h>
#include <isa-l/igzip_lib.h>
/* The state is 84 KiB: it lives on the heap, made and freed here. */
static inline struct inflate_state *sluice_inflate_new(void) {
  struct inflate_state *s = (struct inflate_state *)calloc(1, sizeof(struct inflate_state));
  if (s) { isal_inflate_init(s); s->crc_flag = ISAL_GZIP; }
  return s;
}
/* Ready for the next member; the input position is kept. */
static inline void sluice_inflate_next_member(struct inflate_state *s) {
  isal_inflate_reset(s); s->crc_flag = ISAL_GZIP;
}
static inline int sluice_inflate_is_finished(const struct inflate_state *s) { return s->block_state == ISAL_BLOCK_FINISH; }
static inline int sluice_inflate_has_output(const struct inflate_state *s) { return s->block_state != ISAL_BLOCK_FINISH && s->avail_out == 0; }
