// SPDX-License-Identifier: MIT
// MicroPython binding: curves, master key, sealing. Key values never pass through here, except
// the scalar handed to ec_import, which is wiped whatever happens.
#include <string.h>

#include "modp11crypto.h"
#include "py/runtime.h"

static mp_obj_t bytes(int status, const uint8_t *out, size_t len) {
    p11crypto_check(status);
    return mp_obj_new_bytes(out, len);
}

// P11_OK and P11_NO are verdicts, the rest raises.
static mp_obj_t verdict(int status) {
    if (status != P11_NO) {
        p11crypto_check(status);
    }
    return mp_obj_new_bool(status == P11_OK);
}

// --- curves --------------------------------------------------------------------------------

static mp_obj_t ec_generate(mp_obj_t curve) {
    p11_slot_t slot;
    int status = p11_ec_generate(&slot, (int)mp_obj_get_int(curve));
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_ec_generate_obj, ec_generate);

static mp_obj_t ec_import(mp_obj_t curve_in, mp_obj_t scalar) {
    p11_slot_t slot;
    mp_buffer_info_t in;
    mp_int_t curve;
    p11crypto_write(scalar, &in);
    if (!mp_obj_get_int_maybe(curve_in, &curve)) {
        curve = 0;
    }
    int status = p11_ec_import(&slot, (int)curve, in.buf, in.len);
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_2(p11crypto_ec_import_obj, ec_import);

static mp_obj_t ec_public(mp_obj_t slot) {
    uint8_t point[P11_POINT_MAX];
    size_t len;
    int status = p11_ec_public(point, &len, p11crypto_slot(slot));
    return bytes(status, point, len);
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_ec_public_obj, ec_public);

static mp_obj_t ec_check(mp_obj_t curve, mp_obj_t point) {
    mp_buffer_info_t in;
    p11crypto_read(point, &in);
    return verdict(p11_ec_check((int)mp_obj_get_int(curve), in.buf, in.len));
}
MP_DEFINE_CONST_FUN_OBJ_2(p11crypto_ec_check_obj, ec_check);

static mp_obj_t ecdsa_sign(mp_obj_t slot, mp_obj_t digest) {
    uint8_t signature[P11_SIGNATURE_MAX];
    size_t len;
    mp_buffer_info_t in;
    p11crypto_read(digest, &in);
    int status = p11_ecdsa_sign(signature, &len, p11crypto_slot(slot), in.buf, in.len);
    return bytes(status, signature, len);
}
MP_DEFINE_CONST_FUN_OBJ_2(p11crypto_ecdsa_sign_obj, ecdsa_sign);

// (curve, point, digest, signature)
static mp_obj_t ecdsa_verify(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mp_buffer_info_t point;
    mp_buffer_info_t digest;
    mp_buffer_info_t signature;
    p11crypto_read(args[1], &point);
    p11crypto_read(args[2], &digest);
    p11crypto_read(args[3], &signature);
    return verdict(p11_ecdsa_verify((int)mp_obj_get_int(args[0]), point.buf, point.len, digest.buf,
        digest.len, signature.buf, signature.len));
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_ecdsa_verify_obj, 4, 4, ecdsa_verify);

// --- master key ----------------------------------------------------------------------------

// (pin, salt, iterations, aad)
static void read_pin(p11_pin_t *out, const mp_obj_t *args) {
    mp_buffer_info_t pin;
    mp_buffer_info_t salt;
    mp_buffer_info_t aad;
    p11crypto_read(args[0], &pin);
    p11crypto_read(args[1], &salt);
    p11crypto_read(args[3], &aad);
    mp_int_t iterations = mp_obj_get_int(args[2]);
    *out = (p11_pin_t){
        .pin = pin.buf,
        .pin_len = pin.len,
        .salt = salt.buf,
        .salt_len = salt.len,
        .iterations = iterations >= 0 ? (uint32_t)iterations : UINT32_MAX,
        .aad = aad.buf,
        .aad_len = aad.len,
    };
}

// (out): 32 bytes that are filled; False on a chip without a device secret
static mp_obj_t device_pin(mp_obj_t out) {
    mp_buffer_info_t info;
    p11crypto_write(out, &info);
    if (info.len != P11_DEVICE_PIN) {
        p11crypto_check(P11_BAD_LENGTH);
    }
    return verdict(p11_device_pin(info.buf));
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_device_pin_obj, device_pin);

static mp_obj_t master_new(void) {
    p11_slot_t slot;
    int status = p11_master_new(&slot);
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_0(p11crypto_master_new_obj, master_new);

// (slot, pin, salt, iterations, aad)
static mp_obj_t master_wrap(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    uint8_t out[P11_WRAPPED];
    p11_pin_t pin;
    read_pin(&pin, args + 1);
    int status = p11_master_wrap(out, p11crypto_slot(args[0]), &pin);
    return bytes(status, out, sizeof(out));
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_master_wrap_obj, 5, 5, master_wrap);

// (pin, salt, iterations, aad, blob)
static mp_obj_t master_unwrap(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    p11_slot_t slot;
    p11_pin_t pin;
    mp_buffer_info_t blob;
    read_pin(&pin, args);
    p11crypto_read(args[4], &blob);
    int status = p11_master_unwrap(&slot, &pin, blob.buf, blob.len);
    return status == P11_NO ? mp_const_none : p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_master_unwrap_obj, 5, 5, master_unwrap);

// --- sealing -------------------------------------------------------------------------------

static void read_binding(p11_binding_t *out, mp_obj_t context_in, mp_obj_t aad_in) {
    mp_buffer_info_t context;
    mp_buffer_info_t aad;
    p11crypto_read(context_in, &context);
    p11crypto_read(aad_in, &aad);
    *out = (p11_binding_t){
        .context = context.buf,
        .context_len = context.len,
        .aad = aad.buf,
        .aad_len = aad.len,
    };
}

// (master, slot, context, aad)
static mp_obj_t seal(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    uint8_t out[P11_SEALED_MAX];
    size_t len;
    p11_binding_t binding;
    read_binding(&binding, args[2], args[3]);
    int status = p11_seal(out, &len, p11crypto_slot(args[0]), p11crypto_slot(args[1]), &binding);
    return bytes(status, out, len);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_seal_obj, 4, 4, seal);

// (master, blob, context, aad, kind)
static mp_obj_t unseal(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    p11_slot_t slot;
    mp_buffer_info_t blob;
    p11_binding_t binding;
    p11crypto_read(args[1], &blob);
    read_binding(&binding, args[2], args[3]);
    int status = p11_unseal(&slot, p11crypto_slot(args[0]), blob.buf, blob.len, &binding,
        (int)mp_obj_get_int(args[4]));
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_unseal_obj, 5, 5, unseal);

static mp_obj_t mac(mp_obj_t master, mp_obj_t context_in, mp_obj_t data_in) {
    uint8_t out[P11_MAC];
    mp_buffer_info_t context;
    mp_buffer_info_t data;
    p11crypto_read(context_in, &context);
    p11crypto_read(data_in, &data);
    int status = p11_mac(out, p11crypto_slot(master), context.buf, context.len, data.buf,
        data.len);
    return bytes(status, out, sizeof(out));
}
MP_DEFINE_CONST_FUN_OBJ_3(p11crypto_mac_obj, mac);
