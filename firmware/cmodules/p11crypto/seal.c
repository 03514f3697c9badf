// SPDX-License-Identifier: MIT
// The master key and what it protects. AES-256-GCM everywhere (SP 800-38D), 96-bit random nonces;
// each key encrypts very few messages, since wraps have a fresh salt and seals a key per version.
//
//   key-encryption key = HMAC(salt, stretched PIN || device secret || aad)
//   object key         = HMAC(master key, "seal" || context)
//   key of bytes           = HMAC(master key, "data" || context)
//   code of data       = HMAC(master key, "mac" || length of context || context || data)[:16]
#include <string.h>

#include "drbg.h"
#include "ec.h"
#include "hmac.h"
#include "mbedtls/gcm.h"
#include "slots.h"
#include "wipe.h"

#define KEY 32
#define CONTEXT_MAX 32

// nonce || ciphertext || tag of value.
static int encrypt(uint8_t *out, const uint8_t key[KEY], const uint8_t *value, size_t len,
    const uint8_t *aad, size_t aad_len) {
    int status = p11_random(out, P11_NONCE);
    if (status != P11_OK) {
        return status;
    }
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    int bad = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, KEY * 8);
    if (bad == 0) {
        bad = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, out, P11_NONCE, aad,
            aad_len, value, out + P11_NONCE, P11_TAG, out + P11_NONCE + len);
    }
    mbedtls_gcm_free(&gcm);
    return bad == 0 ? P11_OK : P11_INTERNAL;
}

// P11_OK, or P11_NO with value zeroed when the tag is wrong.
static int decrypt(uint8_t *value, size_t len, const uint8_t key[KEY], const uint8_t *blob,
    const uint8_t *aad, size_t aad_len) {
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    int bad = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, KEY * 8);
    if (bad == 0) {
        bad = mbedtls_gcm_auth_decrypt(&gcm, len, blob, P11_NONCE, aad, aad_len,
            blob + P11_NONCE + len, P11_TAG, blob + P11_NONCE, value);
    }
    mbedtls_gcm_free(&gcm);
    if (bad != 0) {
        p11_wipe(value, len);
    }
    return bad == 0 ? P11_OK : bad == MBEDTLS_ERR_GCM_AUTH_FAILED ? P11_NO
                                                                  : P11_INTERNAL;
}

static int check_pin(const p11_pin_t *pin) {
    if (pin->pin_len < 1 || pin->pin_len > 255) {
        return P11_BAD_PIN;
    }
    if (pin->salt_len < 8 || pin->salt_len > 64) {
        return P11_BAD_SALT;
    }
    return pin->iterations <= 10000000 ? P11_OK : P11_BAD_ITERATIONS;
}

static int derive_kek(uint8_t kek[KEY], const p11_pin_t *pin) {
    uint8_t stretched[32];
    uint8_t device[32];
    p11_hmac_t hmac;
    int status;
    if (pin->iterations == 0) {
        p11_hmac_start(&hmac, pin->salt, pin->salt_len);
        p11_hmac_add(&hmac, pin->pin, pin->pin_len);
        status = p11_hmac_end(&hmac, stretched);
    } else {
        status = p11_pbkdf2(stretched, pin->pin, pin->pin_len, pin->salt, pin->salt_len,
            pin->iterations);
    }
    if (status == P11_OK) {
        size_t device_len = p11_chip_device_secret(device);
        p11_hmac_start(&hmac, pin->salt, pin->salt_len);
        p11_hmac_add(&hmac, stretched, sizeof(stretched));
        p11_hmac_add(&hmac, device, device_len);
        p11_hmac_add(&hmac, pin->aad, pin->aad_len);
        status = p11_hmac_end(&hmac, kek);
    }
    p11_wipe(stretched, sizeof(stretched));
    p11_wipe(device, sizeof(device));
    return status;
}

int p11_device_pin(uint8_t out[P11_DEVICE_PIN]) {
    static const char purpose[] = "pkcs11 device pin";
    uint8_t device[32];
    uint8_t mac[32];
    uint8_t id[16];
    p11_hmac_t hmac;
    size_t len = p11_chip_device_secret(device);
    int status = len == sizeof(device) ? P11_OK : P11_NO;
    memset(out, 0, P11_DEVICE_PIN);
    if (status == P11_OK) {
        p11_chip_unique_id(id);
        p11_hmac_start(&hmac, device, len);
        p11_hmac_add(&hmac, purpose, sizeof(purpose) - 1);
        p11_hmac_add(&hmac, id, sizeof(id));
        status = p11_hmac_end(&hmac, mac);
    }
    for (size_t i = 0; status == P11_OK && i < P11_DEVICE_PIN; i++) {
        uint8_t digit = mac[i / 2] >> (i % 2 ? 0 : 4) & 15;
        out[i] = (uint8_t)(digit + (digit < 10 ? '0' : 'a' - 10));
    }
    p11_wipe(device, sizeof(device));
    p11_wipe(mac, sizeof(mac));
    return status;
}

int p11_master_new(p11_slot_t *slot) {
    uint8_t value[KEY];
    *slot = 0;
    if (!p11_slot_vacant()) {
        return P11_FULL;
    }
    int status = p11_drbg_fresh();
    if (status == P11_OK) {
        status = p11_random(value, sizeof(value));
    }
    if (status == P11_OK) {
        status = p11_slot_take(slot, P11_MASTER, value, sizeof(value));
    }
    p11_wipe(value, sizeof(value));
    p11_wipe_stack();
    return status;
}

int p11_master_wrap(uint8_t out[P11_WRAPPED], p11_slot_t master, const p11_pin_t *pin) {
    uint8_t kek[KEY];
    const p11_key_t *key = p11_slot_get(master, P11_KIND(P11_MASTER));
    memset(out, 0, P11_WRAPPED);
    int status = key != NULL ? check_pin(pin) : P11_BAD_SLOT;
    if (status != P11_OK) {
        return status;
    }
    status = derive_kek(kek, pin);
    if (status == P11_OK) {
        status = encrypt(out, kek, key->value, KEY, pin->aad, pin->aad_len);
    }
    if (status != P11_OK) {
        memset(out, 0, P11_WRAPPED);
    }
    p11_wipe(kek, sizeof(kek));
    p11_wipe_stack();
    return status;
}

int p11_master_unwrap(p11_slot_t *slot, const p11_pin_t *pin, const uint8_t *blob, size_t len) {
    uint8_t kek[KEY];
    uint8_t value[KEY];
    *slot = 0;
    int status = len == P11_WRAPPED ? check_pin(pin) : P11_BAD_BLOB;
    if (status != P11_OK) {
        return status;
    }
    if (!p11_slot_vacant()) {
        return P11_FULL;
    }
    status = derive_kek(kek, pin);
    if (status == P11_OK) {
        status = decrypt(value, KEY, kek, blob, pin->aad, pin->aad_len);
    }
    if (status == P11_OK) {
        status = p11_slot_take(slot, P11_MASTER, value, KEY);
    }
    p11_wipe(value, sizeof(value));
    p11_wipe(kek, sizeof(kek));
    p11_wipe_stack();
    return status;
}

static int object_key(uint8_t key[KEY], p11_slot_t master, const char label[4],
    const p11_binding_t *binding) {
    if (binding->context_len < 1 || binding->context_len > CONTEXT_MAX) {
        return P11_BAD_CONTEXT;
    }
    const p11_key_t *parent = p11_slot_get(master, P11_KIND(P11_MASTER));
    if (parent == NULL) {
        return P11_BAD_SLOT;
    }
    p11_hmac_t hmac;
    p11_hmac_start(&hmac, parent->value, KEY);
    p11_hmac_add(&hmac, label, 4);
    p11_hmac_add(&hmac, binding->context, binding->context_len);
    return p11_hmac_end(&hmac, key);
}

int p11_seal(uint8_t out[P11_SEALED_MAX], size_t *len, p11_slot_t master, p11_slot_t slot,
    const p11_binding_t *binding) {
    uint8_t key[KEY];
    memset(out, 0, P11_SEALED_MAX);
    *len = 0;
    int status = object_key(key, master, "seal", binding);
    const p11_key_t *object = p11_slot_get(slot, P11_OBJECT_KINDS);
    if (status == P11_OK && object == NULL) {
        status = P11_BAD_SLOT;
    }
    if (status == P11_OK) {
        status = encrypt(out, key, object->value, object->len, binding->aad, binding->aad_len);
    }
    if (status == P11_OK) {
        *len = P11_NONCE + (size_t)object->len + P11_TAG;
    } else {
        memset(out, 0, P11_SEALED_MAX);
    }
    p11_wipe(key, sizeof(key));
    p11_wipe_stack();
    return status;
}

// Whether a value of this length and content can be a key of this kind. An RSA key shows at each
// use whether it is one.
static bool plausible(int kind, const uint8_t *value, size_t len) {
    return kind == P11_SECRET || (kind == P11_RSA_2048 && len == P11_RSA_KEY)
           || (len == p11_ec_size(kind) && p11_scalar_good(kind, value));
}

int p11_unseal(p11_slot_t *slot, p11_slot_t master, const uint8_t *blob, size_t len,
    const p11_binding_t *binding, int kind) {
    uint8_t key[KEY];
    uint8_t *value = NULL;
    size_t value_len = len - P11_NONCE - P11_TAG;
    size_t value_max = kind == P11_RSA_2048 ? P11_RSA_KEY : P11_SECRET_MAX;
    *slot = 0;
    int status = object_key(key, master, "seal", binding);
    if (status == P11_OK) {
        if (kind < P11_P256 || kind > P11_RSA_2048 || kind == P11_MASTER) {
            status = P11_BAD_KIND;
        } else if (len <= P11_NONCE + P11_TAG || value_len > value_max) {
            status = P11_BAD_SEALED;
        } else {
            value = p11_slot_room(kind);
            status = value != NULL ? P11_OK : P11_FULL;
        }
    }
    if (status == P11_OK) {
        status = decrypt(value, value_len, key, blob, binding->aad, binding->aad_len);
        if (status == P11_NO || (status == P11_OK && !plausible(kind, value, value_len))) {
            status = P11_BAD_SEALED;
        }
        if (status == P11_OK) {
            p11_slot_fill(slot, kind, value_len);
        } else {
            p11_wipe(value, value_len);
        }
    }
    p11_wipe(key, sizeof(key));
    p11_wipe_stack();
    return status;
}

int p11_seal_bytes(uint8_t *out, p11_slot_t master, const p11_binding_t *binding,
    const uint8_t *data, size_t len) {
    uint8_t key[KEY];
    int status = object_key(key, master, "data", binding);
    if (status == P11_OK) {
        status = encrypt(out, key, data, len, binding->aad, binding->aad_len);
    }
    if (status != P11_OK) {
        p11_wipe(out, len + P11_NONCE + P11_TAG);
    }
    p11_wipe(key, sizeof(key));
    p11_wipe_stack();
    return status;
}

int p11_unseal_bytes(uint8_t *out, p11_slot_t master, const uint8_t *blob, size_t len,
    const p11_binding_t *binding) {
    uint8_t key[KEY];
    int status = object_key(key, master, "data", binding);
    if (status == P11_OK && len < P11_NONCE + P11_TAG) {
        status = P11_BAD_SEALED;
    }
    if (status == P11_OK) {
        status = decrypt(out, len - P11_NONCE - P11_TAG, key, blob, binding->aad,
            binding->aad_len);
        status = status == P11_NO ? P11_BAD_SEALED : status;
    }
    p11_wipe(key, sizeof(key));
    p11_wipe_stack();
    return status;
}

int p11_mac(uint8_t out[P11_MAC], p11_slot_t master, const uint8_t *context, size_t context_len,
    const uint8_t *data, size_t len) {
    memset(out, 0, P11_MAC);
    if (context_len < 1 || context_len > CONTEXT_MAX) {
        return P11_BAD_CONTEXT;
    }
    const p11_key_t *key = p11_slot_get(master, P11_KIND(P11_MASTER));
    if (key == NULL) {
        return P11_BAD_SLOT;
    }
    uint8_t code[32];
    uint8_t prefix = (uint8_t)context_len;
    p11_hmac_t hmac;
    p11_hmac_start(&hmac, key->value, KEY);
    p11_hmac_add(&hmac, "mac", 3);
    p11_hmac_add(&hmac, &prefix, 1);
    p11_hmac_add(&hmac, context, context_len);
    p11_hmac_add(&hmac, data, len);
    int status = p11_hmac_end(&hmac, code);
    memcpy(out, code, P11_MAC);
    p11_wipe(code, sizeof(code));
    p11_wipe_stack();
    return status;
}
