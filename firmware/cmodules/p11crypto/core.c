// SPDX-License-Identifier: MIT
// What belongs to the core as a whole: the words for status codes and the way back to blank.
#include "arena.h"
#include "drbg.h"
#include "entropy.h"
#include "wipe.h"

static const char *const words[P11_CODES] = {
    [P11_OK] = "ok",
    [P11_NO] = "no",
    [P11_FULL] = "full",
    [P11_ENTROPY] = "entropy",
    [P11_INTERNAL] = "crypto",
    [P11_BAD_SLOT] = "slot",
    [P11_BAD_CURVE] = "curve",
    [P11_BAD_SCALAR] = "scalar",
    [P11_BAD_POINT] = "point",
    [P11_BAD_DIGEST] = "digest",
    [P11_BAD_SIGNATURE] = "signature",
    [P11_BAD_HASH] = "hash",
    [P11_BAD_PIN] = "pin",
    [P11_BAD_SALT] = "salt",
    [P11_BAD_ITERATIONS] = "iterations",
    [P11_BAD_BLOB] = "blob",
    [P11_BAD_CONTEXT] = "context",
    [P11_BAD_KIND] = "kind",
    [P11_BAD_SEALED] = "sealed",
    [P11_BAD_SEED] = "seed",
    [P11_BAD_LENGTH] = "length",
    [P11_BAD_BLOCK] = "block",
    [P11_BAD_MODULUS] = "modulus",
    [P11_BAD_EXPONENT] = "exponent",
    [P11_BAD_KEY] = "key",
};

const char *p11_word(int status) {
    return status >= 0 && status < P11_CODES ? words[status] : "crypto";
}

void p11crypto_soft_reset(void) {
    p11_wipe_all();
    p11_drbg_wipe();
    p11_arena_wipe();
    p11_entropy_soft_reset();
    p11_wipe_stack();
}

__attribute__((weak)) size_t p11_chip_device_secret(uint8_t out[32]) {
    p11_wipe(out, 32);
    return 0;
}
