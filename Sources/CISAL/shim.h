#include <stdlib.h>
#include <string.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
/* The state is 84 KiB: it lives on the heap, made and freed here.
   isal_inflate reads gzip headers too, but into a struct of its own stack, whose flags it leaves unset: a header that is cut
   in two by the end of the input is then misread. So the header is read here, into a struct that stays. */
struct sluice_gzip {
  struct inflate_state state;
  struct isal_gzip_header header;
  int in_header;
};
/* Ready for the next member; the input position is kept. */
static inline void sluice_gzip_next_member(struct sluice_gzip *g) {
  isal_inflate_reset(&g->state);
  g->state.crc_flag = ISAL_GZIP;
  memset(&g->header, 0, sizeof g->header);
  isal_gzip_header_init(&g->header);
  g->in_header = 1;
}
static inline struct sluice_gzip *sluice_gzip_new(void) {
  struct sluice_gzip *g = (struct sluice_gzip *)calloc(1, sizeof(struct sluice_gzip));
  if (g) { isal_inflate_init(&g->state); sluice_gzip_next_member(g); }
  return g;
}
/* Decodes what is there into what fits; the codes are those of isal_inflate. */
static inline int sluice_gzip_step(struct sluice_gzip *g) {
  if (g->in_header) {
    const int code = isal_read_gzip_header(&g->state, &g->header);
    if (code != ISAL_DECOMP_OK) return code;
    g->in_header = 0;
  }
  return isal_inflate(&g->state);
}
static inline int sluice_gzip_is_finished(const struct sluice_gzip *g) { return !g->in_header && g->state.block_state == ISAL_BLOCK_FINISH; }
