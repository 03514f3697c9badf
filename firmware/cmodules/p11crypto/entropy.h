// SPDX-License-Identifier: MIT
// The chip's entropy source behind health tests (SP 800-90B §4.4) on 8-bit samples.
//
// Claimed: 4 bits of min-entropy per byte. False alarm probability 2^-40 per test. The first alarm
// since the chip's reset restarts the source and repeats the start-up test; the second puts the
// source into the failed state, which lasts until the chip is reset (a soft reset of the
// interpreter does not clear it). There is no fall-back.
//
// A build without a source (P11_NO_TRNG) polls nothing: the generator lives on the stored seed
// (p11_entropy_seed), which is why such a build without the seed path is refused.
#ifndef P11_ENTROPY_H
#define P11_ENTROPY_H

#include "p11crypto.h"

#ifndef P11_NO_TRNG
#define P11_NO_TRNG 0
#endif
#if P11_NO_TRNG && !P11_NV_SEED
#error "no entropy: neither a hardware source nor the seed path (P11_NV_SEED=1)"
#endif

enum { P11_SOURCE_IDLE = 0,
    P11_SOURCE_OK = 1,
    P11_SOURCE_FAILED = 2 };

#define P11_RCT_CUTOFF 11 // 1 + ceil(40 / 4)
#define P11_APT_CUTOFF 78 // 1 + critical binomial(512, 2^-4, 1 - 2^-40)
#define P11_APT_WINDOW 512
#define P11_STARTUP_SAMPLES 1024

// Fills out with samples that passed both tests, P11_ENTROPY and zeros otherwise.
int p11_entropy_poll(uint8_t *out, size_t len);
bool p11_entropy_failed(void);
// Puts the source into the failed state: a known-answer test of what it feeds went wrong.
void p11_entropy_fail(void);
// The generator was seeded from storage: the state becomes P11_SOURCE_OK.
void p11_entropy_seeded(void);
// Forgets samples, keeps verdict and counters; the start-up test runs again before the next use.
void p11_entropy_soft_reset(void);
#if P11_TEST
void p11_entropy_power_on(void);
// As if built with P11_NO_TRNG.
void p11_test_no_source(bool none);
#endif

#endif
