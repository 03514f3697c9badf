// SPDX-License-Identifier: MIT
// The arithmetic of the token as a native module for stock MicroPython: P-256 and SHA-256 of the
// firmware (p11crypto/p256, p11crypto/sha256), AES-256-GCM and PBKDF2. Only p11crypto.py of this
// directory uses it.
//
// Lengths are checked here, everything else there. A native module has no state of its own: keys
// come in and go out in buffers of the caller, on MicroPython's heap. It isolates nothing.
#include "py/dynruntime.h"

#include "aesgcm.h"
#include "p256/p256.h"
#include "stretch.h"

#if !defined(__linux__)
// What the compiler calls behind our back.
void *memcpy(void *to, const void *from, size_t len) {
    uint8_t *d = to;
    const uint8_t *s = from;
    while (len-- != 0) {
        *d++ = *s++;
    }
    return to;
}

void *memset(void *to, int value, size_t len) {
    uint8_t *d = to;
    while (len-- != 0) {
        *d++ = (uint8_t)value;
    }
    return to;
}
#if defined(__riscv)
uint64_t __lshrdi3(uint64_t value, int count) {
    uint32_t low = (uint32_t)value;
    uint32_t high = (uint32_t)(value >> 32);
    if (count >= 32) {
        low = high;
        high = 0;
        count -= 32;
    }
    if (count != 0) {
        low = low >> count | high << (32 - count);
        high >>= count;
    }
    return (uint64_t)high << 32 | low;
}
#endif
#endif

static const uint8_t *take(mp_obj_t object, size_t wanted) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, MP_BUFFER_READ);
    if (info.len != wanted) {
        mp_raise_ValueError("length");
    }
    return info.buf;
}

static uint8_t *give(mp_obj_t object, size_t wanted) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, MP_BUFFER_RW);
    if (info.len != wanted) {
        mp_raise_ValueError("length");
    }
    return info.buf;
}

// public(point, scalar, blind) -> bool: point (64 bytes) = scalar * G; False when scalar is out of
// range. blind: 32 fresh random bytes, here and below.
static mp_obj_t native_public(mp_obj_t point, mp_obj_t scalar, mp_obj_t blind) {
    uint8_t *out = give(point, 64);
    const uint8_t *key = take(scalar, 32);
    return mp_obj_new_bool(p256_public(out, key, take(blind, 32)));
}
static MP_DEFINE_CONST_FUN_OBJ_3(public_obj, native_public);

// valid(point) -> bool
static mp_obj_t native_valid(mp_obj_t point) {
    return mp_obj_new_bool(p256_point_valid(take(point, 64)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(valid_obj, native_valid);

// sign(signature, scalar, digest, fresh) -> bool: nonce of RFC 6979 with additional input. fresh: 64
// random bytes, the blind and the additional input.
static mp_obj_t native_sign(size_t n_args, const mp_obj_t *args) {
    uint8_t *signature = give(args[0], 64);
    const uint8_t *scalar = take(args[1], 32);
    const uint8_t *digest = take(args[2], 32);
    const uint8_t *fresh = take(args[3], 64);
    return mp_obj_new_bool(p256_sign_rfc6979(signature, scalar, digest, 32, fresh + 32, 32, fresh));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(sign_obj, 4, 4, native_sign);

// verify(point, digest, signature) -> bool
static mp_obj_t native_verify(mp_obj_t point, mp_obj_t digest, mp_obj_t signature) {
    const uint8_t *s = take(signature, 64);
    const uint8_t *p = take(point, 64);
    return mp_obj_new_bool(p256_verify(p, take(digest, 32), 32, s));
}
static MP_DEFINE_CONST_FUN_OBJ_3(verify_obj, native_verify);

// ecdh(secret, scalar, point, blind) -> bool
static mp_obj_t native_ecdh(size_t n_args, const mp_obj_t *args) {
    uint8_t *secret = give(args[0], 32);
    const uint8_t *scalar = take(args[1], 32);
    const uint8_t *point = take(args[2], 64);
    return mp_obj_new_bool(p256_ecdh(secret, scalar, point, take(args[3], 32)));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ecdh_obj, 4, 4, native_ecdh);

// gcm(out, key, nonce, aad, data): out longer than data by 16 encrypts, shorter by 16 decrypts;
// False when the tag is wrong.
static mp_obj_t native_gcm(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t out;
    mp_buffer_info_t aad;
    mp_buffer_info_t data;
    mp_get_buffer_raise(args[0], &out, MP_BUFFER_RW);
    mp_get_buffer_raise(args[3], &aad, MP_BUFFER_READ);
    mp_get_buffer_raise(args[4], &data, MP_BUFFER_READ);
    aesgcm_t with;
    with.key = take(args[1], 32);
    with.nonce = take(args[2], 12);
    with.aad = aad.buf;
    with.aad_len = aad.len;
    if (out.len == data.len + 16) {
        aesgcm_encrypt(out.buf, (uint8_t *)out.buf + data.len, &with, data.buf, data.len);
        return mp_const_true;
    }
    if (data.len != out.len + 16) {
        mp_raise_ValueError("length");
    }
    const uint8_t *tag = (const uint8_t *)data.buf + out.len;
    return mp_obj_new_bool(aesgcm_decrypt(out.buf, &with, data.buf, out.len, tag));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(gcm_obj, 5, 5, native_gcm);

// pbkdf2(out, pin, salt, iterations): 32 bytes; salt up to 64
static mp_obj_t native_pbkdf2(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t pin;
    mp_buffer_info_t salt;
    mp_get_buffer_raise(args[1], &pin, MP_BUFFER_READ);
    mp_get_buffer_raise(args[2], &salt, MP_BUFFER_READ);
    if (salt.len > STRETCH_SALT_MAX) {
        mp_raise_ValueError("length");
    }
    stretch_pbkdf2(give(args[0], 32), pin.buf, pin.len, salt.buf, salt.len,
        (uint32_t)mp_obj_get_int(args[3]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(pbkdf2_obj, 4, 4, native_pbkdf2);

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_public, MP_OBJ_FROM_PTR(&public_obj));
    mp_store_global(MP_QSTR_valid, MP_OBJ_FROM_PTR(&valid_obj));
    mp_store_global(MP_QSTR_sign, MP_OBJ_FROM_PTR(&sign_obj));
    mp_store_global(MP_QSTR_verify, MP_OBJ_FROM_PTR(&verify_obj));
    mp_store_global(MP_QSTR_ecdh, MP_OBJ_FROM_PTR(&ecdh_obj));
    mp_store_global(MP_QSTR_gcm, MP_OBJ_FROM_PTR(&gcm_obj));
    mp_store_global(MP_QSTR_pbkdf2, MP_OBJ_FROM_PTR(&pbkdf2_obj));
    MP_DYNRUNTIME_INIT_EXIT
}
