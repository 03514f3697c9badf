// SPDX-License-Identifier: MIT
#include "host.h"

#include <string.h>
#include <sys/random.h>

#include "p11crypto.h"

static host_source_t source;
static uint8_t secret[32];
static bool has_secret;
static uint64_t state = 1;

void host_source(host_source_t new_source) {
    source = new_source;
}

void host_device_secret(const uint8_t *new_secret) {
    has_secret = new_secret != NULL;
    if (has_secret) {
        memcpy(secret, new_secret, sizeof(secret));
    }
}

bool p11_chip_entropy(uint8_t *out, size_t len) {
    if (source != NULL) {
        return source(out, len);
    }
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got <= 0) {
            return false;
        }
        out += got;
        len -= (size_t)got;
    }
    return true;
}

void p11_chip_unique_id(uint8_t out[16]) {
    memcpy(out, "host test chip 1", 16);
}

size_t p11_chip_device_secret(uint8_t out[32]) {
    if (!has_secret) {
        return 0;
    }
    memcpy(out, secret, sizeof(secret));
    return sizeof(secret);
}

void host_seed(uint64_t seed) {
    state = seed != 0 ? seed : 1;
}

uint64_t host_number(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull;
}

void host_bytes(uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(host_number() >> 56);
    }
}
