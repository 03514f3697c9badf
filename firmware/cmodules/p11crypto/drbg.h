// SPDX-License-Identifier: MIT
// The one random number generator: CTR_DRBG with AES-256 and derivation function (SP 800-90A
// §10.2.1), seeded from the tested source. Its state is static memory, wiped at soft reset.
// Without a source (P11_NO_TRNG) it is seeded by p11_entropy_seed and, where it would reseed, from its
// own output: earlier outputs stay out of reach of whoever learns the state later, no more.
//
// Seed: 128 source bytes (512 bits claimed) and the chip's identity as personalisation. Reseeds
// after 1024 requests or 64 KiB, and before each long-term key (p11_drbg_fresh). A known-answer
// test runs before each instantiation.
#ifndef P11_DRBG_H
#define P11_DRBG_H

#include "p11crypto.h"

#define P11_SEED_BYTES 128
#define P11_RESEED_REQUESTS 1024
#define P11_RESEED_BYTES 65536
#define P11_REQUEST_MAX 1024

// Fresh seed now: prediction resistance for the outputs that follow.
int p11_drbg_fresh(void);
// The generator in the shape of the library's callbacks; context is not used.
int p11_drbg_callback(void *context, unsigned char *out, size_t len);
void p11_drbg_wipe(void);
uint32_t p11_drbg_reseeds(void);

#endif
