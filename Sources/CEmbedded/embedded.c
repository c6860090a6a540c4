// #embed is C23; clang has it in every mode and says so.
#pragma clang diagnostic ignored "-Wc23-extensions"
#include "CEmbedded.h"
const uint8_t sluice_recipe_web_1[] = {
#embed "recipes/web-1.yaml"
};
const size_t sluice_recipe_web_1_size = sizeof sluice_recipe_web_1;
const uint8_t sluice_html_entities[] = {
#embed "html-entities.tsv"
};
const size_t sluice_html_entities_size = sizeof sluice_html_entities;
const uint8_t sluice_planner_devices[] = {
#embed "planner-devices.csv"
};
const size_t sluice_planner_devices_size = sizeof sluice_planner_devices;
const uint8_t sluice_planner_articles[] = {
#embed "planner-articles.json"
};
const size_t sluice_planner_articles_size = sizeof sluice_planner_articles;
