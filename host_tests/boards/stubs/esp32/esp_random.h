// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#include <stddef.h>
void esp_fill_random(void *buf, size_t len);
