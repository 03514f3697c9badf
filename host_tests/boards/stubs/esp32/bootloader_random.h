// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
void bootloader_random_enable(void);
void bootloader_random_disable(void);
