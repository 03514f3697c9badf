// SPDX-License-Identifier: MIT
// Random calls with random arguments, under the sanitizers: no crash, no leak, and a slot count
// that always agrees with the handles the calls gave out.
#include <stdlib.h>

#include "check.h"
#include "rsa_key.h"
#include "slots.h"

#define HANDLES 80

static p11_slot_t live[HANDLES];
static size_t count;
static bool wiped; // what a call has to wipe or to give back, it did

static size_t below(size_t n) {
    return (size_t)(host_number() % n);
}

static void keep(int status, const p11_slot_t *slot) {
    if (status == P11_OK) {
        live[count++] = *slot;
    }
}

// A live handle mostly, sometimes any number.
static p11_slot_t handle(void) {
    if (count > 0 && below(8) != 0) {
        return live[below(count)];
    }
    return below(2) == 0 ? (p11_slot_t)host_number() : (p11_slot_t)below(0x800);
}

static int curve(void) {
    return below(8) == 0 ? (int)host_number() : (int)(1 + below(2));
}

// Buffers of exactly the length given, so that the sanitizer sees one byte too many.
static uint8_t *block(size_t len) {
    uint8_t *p = malloc(len + (len == 0));
    host_bytes(p, len);
    return p;
}

static size_t near(size_t len) {
    return below(4) == 0 ? below(2 * len + 2) : len;
}

// secret.c and cipher.c; buffers of exactly the lengths given.
static void secret_step(size_t n, uint8_t *a, size_t m, uint8_t *b) {
    p11_slot_t slot = 0;
    size_t len = 0;
    uint8_t value[P11_SECRET_MAX];
    uint8_t out[P11_HASH_MAX];
    p11_binding_t binding = { .context = b, .context_len = m, .aad = b, .aad_len = m };
    switch (below(8)) {
        case 0:
            keep(p11_secret_import(&slot, a, n), &slot);
            for (size_t i = 0; i < n; i++) {
                wiped &= a[i] == 0;
            }
            break;
        case 1:
            keep(p11_secret_generate(&slot, near(P11_SECRET_MAX)), &slot);
            break;
        case 2:
            if (p11_secret_export(value, &len, handle()) != P11_OK) {
                wiped &= len == 0 && value[0] == 0 && value[P11_SECRET_MAX - 1] == 0;
            }
            p11_secret_size(&len, handle());
            break;
        case 3: {
            uint8_t mine[P11_POINT_MAX];
            p11_slot_t key = handle();
            size_t point_len = near(65);
            uint8_t *point = block(point_len);
            if (p11_ec_public(mine, &len, handle()) == P11_OK && len <= point_len) {
                memcpy(point, mine, len);
                point_len = len;
            }
            keep(p11_ecdh(&slot, key, point, point_len, near(32)), &slot);
            free(point);
            break;
        }
        case 4: {
            uint8_t *sealed = block(n + P11_NONCE + P11_TAG);
            uint8_t *opened = block(n);
            p11_slot_t master = handle();
            if (p11_seal_bytes(sealed, master, &binding, a, n) == P11_OK) {
                p11_unseal_bytes(opened, master, sealed, n + P11_NONCE + P11_TAG, &binding);
                wiped &= memcmp(a, opened, n) == 0;
            }
            size_t short_len = near(P11_NONCE + P11_TAG);
            uint8_t *junk = block(short_len);
            size_t room = short_len > P11_NONCE + P11_TAG ? short_len - P11_NONCE - P11_TAG : 0;
            uint8_t *nothing = block(room);
            p11_unseal_bytes(nothing, master, junk, short_len, &binding);
            free(nothing);
            free(junk);
            free(opened);
            free(sealed);
            break;
        }
        case 5: {
            p11_keyed_t hmac;
            int status = p11_keyed_start(&hmac, (int)below(8), handle());
            if (status == P11_OK || below(2) == 0) {
                p11_keyed_update(&hmac, a, n);
                p11_keyed_digest(out, &hmac);
            }
            break;
        }
        case 6: {
            p11_cmac_t cmac;
            p11_cmac_start(&cmac, handle());
            p11_cmac_update(&cmac, a, n);
            p11_cmac_update(&cmac, b, m);
            p11_cmac_digest(out, &cmac);
            break;
        }
        default: {
            p11_aes_t aes;
            uint8_t *result = block(n);
            p11_aes_start(&aes, handle(), below(2) == 0, below(2) == 0 ? b : NULL, m);
            p11_aes_update(result, &aes, a, n);
            p11_aes_update(a, &aes, a, n); // in place
            free(result);
            break;
        }
    }
}

// Numbers of a real key, some of them cut or with one bit wrong.
static void step_rsa(void) {
    static const char *const texts[] = { rsa_n, rsa_e, rsa_d, rsa_p, rsa_q, rsa_dp, rsa_dq, rsa_qp };
    uint8_t *parts[P11_RSA_SECRETS + 2];
    size_t lens[P11_RSA_SECRETS + 2];
    uint8_t out[P11_RSA_BLOCK];
    p11_rsa_key_t key;
    p11_slot_t slot;
    size_t wrong = below(24); // mostly none
    for (size_t i = 0; i < P11_RSA_SECRETS + 2; i++) {
        size_t len = strlen(texts[i]) / 2;
        lens[i] = i == wrong ? near(len) : len;
        parts[i] = block(lens[i]);
        memcpy(parts[i], hex(texts[i]), lens[i] < len ? lens[i] : len);
        if (i == wrong && lens[i] > 0 && below(2) == 0) {
            parts[i][below(lens[i])] ^= (uint8_t)(1 << below(8));
        }
    }
    key.n = (p11_number_t){ parts[0], lens[0] };
    key.e = (p11_number_t){ parts[1], lens[1] };
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        key.secret[i].data = parts[2 + i];
        key.secret[i].len = lens[2 + i];
    }
    size_t len = near(P11_RSA_BLOCK);
    uint8_t *data = block(len);
    p11_rsa_public(out, &key.n, &key.e, data, len);
    p11_rsa_private(out, handle(), data, len);
    keep(p11_rsa_import(&slot, &key), &slot);
    free(data);
    for (size_t i = 0; i < P11_RSA_SECRETS + 2; i++) {
        free(parts[i]);
    }
}

static void step(void) {
    uint8_t point[P11_POINT_MAX];
    uint8_t out[P11_SIGNATURE_MAX];
    uint8_t sealed[P11_SEALED_MAX];
    uint8_t wrapped[P11_WRAPPED];
    p11_slot_t slot = 0;
    size_t len = 0;
    size_t n = near(32);
    size_t m = near(16);
    uint8_t *a = block(n);
    uint8_t *b = block(m);
    p11_binding_t binding = { .context = b, .context_len = m, .aad = a, .aad_len = n };
    p11_pin_t pin = {
        .pin = a,
        .pin_len = n,
        .salt = b,
        .salt_len = m,
        .iterations = (uint32_t)below(3),
        .aad = b,
        .aad_len = m,
    };
    int c = curve();
    if (below(60) == 0) {
        step_rsa();
    }
    switch (below(22)) {
        case 0:
            keep(p11_ec_generate(&slot, c), &slot);
            break;
        case 1:
            keep(p11_ec_import(&slot, c, a, n), &slot);
            break;
        case 2:
            p11_ec_public(point, &len, handle());
            break;
        case 3:
            p11_ec_check(c, a, n);
            break;
        case 4:
            p11_ecdsa_sign(out, &len, handle(), a, n);
            break;
        case 5: {
            size_t size = p11_ec_size(c);
            size_t point_len = near(1 + 2 * size);
            size_t signature_len = near(2 * size);
            uint8_t *random_point = block(point_len);
            uint8_t *signature = block(signature_len);
            if (point_len > 0) {
                random_point[0] = 4;
            }
            p11_ecdsa_verify(c, random_point, point_len, a, n, signature, signature_len);
            free(signature);
            free(random_point);
            break;
        }
        case 6:
            keep(p11_master_new(&slot), &slot);
            break;
        case 7: {
            p11_slot_t master = handle();
            if (p11_master_wrap(wrapped, master, &pin) == P11_OK) {
                keep(p11_master_unwrap(&slot, &pin, wrapped, sizeof(wrapped)), &slot);
            }
            break;
        }
        case 8: {
            size_t blob_len = near(P11_WRAPPED);
            uint8_t *blob = block(blob_len);
            keep(p11_master_unwrap(&slot, &pin, blob, blob_len), &slot);
            free(blob);
            break;
        }
        case 9: {
            p11_slot_t master = handle();
            p11_slot_t key = handle();
            if (p11_seal(sealed, &len, master, key, &binding) == P11_OK) {
                int kind = below(3) == 0 ? P11_RSA_2048 : c;
                keep(p11_unseal(&slot, master, sealed, len, &binding, kind), &slot);
            }
            break;
        }
        case 10: {
            size_t blob_len = near(60);
            uint8_t *blob = block(blob_len);
            keep(p11_unseal(&slot, handle(), blob, blob_len, &binding, c), &slot);
            free(blob);
            break;
        }
        case 11:
            p11_mac(out, handle(), b, m, a, n);
            break;
        case 12:
            p11_random(a, n);
            p11_random_add(b, m);
            break;
        case 13: {
            p11_hash_t hash;
            p11_hash_start(&hash, (int)below(8));
            p11_hash_update(&hash, a, n);
            p11_hash_digest(out, &hash);
            break;
        }
        case 14:
            if (below(20) == 0) {
                p11crypto_soft_reset();
                count = 0;
            }
            break;
        case 16:
        case 17:
        case 18:
        case 19:
        case 20:
            secret_step(n, a, m, b);
            break;
        default:
            if (count > 0) {
                size_t i = below(count);
                p11_release(live[i]);
                live[i] = live[--count];
            } else {
                p11_release(handle());
            }
            break;
    }
    free(b);
    free(a);
}

TEST(random_calls_with_random_arguments_keep_every_promise) {
    count = 0;
    wiped = true;
    for (int i = 0; i < 9000; i++) {
        step();
        CHECK(p11_slots_used() == count && wiped);
        for (size_t j = 0; j < count; j++) {
            CHECK(p11_slot_get(live[j], ~0u) != NULL);
        }
        if (count >= P11_SLOTS - 2 && i % 3 != 0) {
            p11_wipe_all();
            count = 0;
        }
    }
}

// clang-format off
SUITE(arguments_suite,
    LIST(random_calls_with_random_arguments_keep_every_promise)
);
// clang-format on
