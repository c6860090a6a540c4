/* Data files that the product needs at run time, embedded byte for byte. Each is `name` ..< `name + name_size`. */
#ifndef SLUICE_CEMBEDDED_H
#define SLUICE_CEMBEDDED_H
#include <stddef.h>
#include <stdint.h>
extern const uint8_t sluice_recipe_web_1[];
extern const size_t sluice_recipe_web_1_size;
extern const uint8_t sluice_html_entities[];
extern const size_t sluice_html_entities_size;
extern const uint8_t sluice_planner_devices[];
extern const size_t sluice_planner_devices_size;
extern const uint8_t sluice_planner_articles[];
extern const size_t sluice_planner_articles_size;
/* Swift does not see arrays of unknown length: it asks here. */
static inline const uint8_t *sluice_recipe_web_1_bytes(void) { return sluice_recipe_web_1; }
static inline const uint8_t *sluice_html_entities_bytes(void) { return sluice_html_entities; }
static inline const uint8_t *sluice_planner_devices_bytes(void) { return sluice_planner_devices; }
static inline const uint8_t *sluice_planner_articles_bytes(void) { return sluice_planner_articles; }
#endif
