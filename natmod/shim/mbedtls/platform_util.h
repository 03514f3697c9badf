// SPDX-License-Identifier: MIT
// What p256-m asks of mbedTLS when it is compiled alone.
#ifndef NATMOD_PLATFORM_UTIL_H
#define NATMOD_PLATFORM_UTIL_H

#include <stddef.h>

void mbedtls_platform_zeroize(void *buf, size_t len);

#endif
