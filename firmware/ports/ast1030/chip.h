// SPDX-License-Identifier: MIT
// What the C modules need of this chip, and what this port needs of the C modules.
#ifndef CHIP_H
#define CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rawflash.h"

#define P11_UNIQUE_ID_BYTES 16

// Provided here. Raw words of the hardware generator: to be health-tested before any use.
bool p11_chip_entropy(uint8_t *out, size_t len);
void p11_chip_unique_id(uint8_t out[P11_UNIQUE_ID_BYTES]);

// Provided by p11crypto: weak, so that the port links and says so at run time without it.
int p11crypto_random(uint8_t *buf, size_t len) __attribute__((weak));
void p11crypto_soft_reset(void) __attribute__((weak));
// Provided by rawflash, weak likewise.
const rawflash_region_t *rawflash_region(const char *name) __attribute__((weak));
int rawflash_read(const rawflash_region_t *region, size_t offset, uint8_t *buf, size_t len)
    __attribute__((weak));

// Provided by tls/: weak, because TLS=0 leaves it out. Frees what lies in the heap.
void p11_tls_forget(void) __attribute__((weak));

void p11_port_forget(void); // wipes the keys held by p11crypto

#endif
