// SPDX-License-Identifier: MIT
// p11_wipe for drivers that are compiled alone.
#include <string.h>

#include "p11crypto.h"

void p11_wipe(void *buf, size_t len) {
    memset(buf, 0, len);
}
