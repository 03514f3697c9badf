// SPDX-License-Identifier: MIT
// The chip that the host tests give to the core: its entropy source, identity and device secret.
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool (*host_source_t)(uint8_t *out, size_t len);

// NULL: the operating system's random numbers.
void host_source(host_source_t source);
// NULL: no device secret.
void host_device_secret(const uint8_t *secret);

// Reproducible bytes for tests (xorshift64*).
void host_seed(uint64_t seed);
uint64_t host_number(void);
void host_bytes(uint8_t *out, size_t len);

// In the core when it is built with P11_TEST.
const void *p11_test_slots(size_t *len);
const void *p11_test_arena(size_t *len);
size_t p11_test_arena_deepest(void);
void p11_test_power_on(void);
void p11_test_no_source(bool none);

#endif
