// SPDX-License-Identifier: MIT
// MicroPython binding: secret keys and what they do in parts. Hmac, Cmac and Aes objects hold a
// slot and a running state, and wipe both when they are collected.
#include <string.h>

#include "modp11crypto.h"
#include "py/runtime.h"

// --- keys ----------------------------------------------------------------------------------

static mp_obj_t secret_import(mp_obj_t value) {
    p11_slot_t slot;
    mp_buffer_info_t in;
    p11crypto_write(value, &in);
    int status = p11_secret_import(&slot, in.buf, in.len);
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_secret_import_obj, secret_import);

static size_t length(mp_obj_t object) {
    mp_int_t value = mp_obj_get_int(object);
    return value > 0 ? (size_t)value : 0;
}

static mp_obj_t secret_generate(mp_obj_t len) {
    p11_slot_t slot;
    int status = p11_secret_generate(&slot, length(len));
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_secret_generate_obj, secret_generate);

static mp_obj_t secret_export(mp_obj_t slot) {
    uint8_t value[P11_SECRET_MAX];
    size_t len;
    p11crypto_check(p11_secret_export(value, &len, p11crypto_slot(slot)));
    mp_obj_t out = mp_obj_new_bytearray(len, value);
    p11_wipe(value, sizeof(value));
    return out;
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_secret_export_obj, secret_export);

static mp_obj_t secret_size(mp_obj_t slot) {
    size_t len;
    p11crypto_check(p11_secret_size(&len, p11crypto_slot(slot)));
    return MP_OBJ_NEW_SMALL_INT(len);
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_secret_size_obj, secret_size);

static mp_obj_t ecdh(mp_obj_t key, mp_obj_t point, mp_obj_t len) {
    p11_slot_t slot;
    mp_buffer_info_t in;
    p11crypto_read(point, &in);
    int status = p11_ecdh(&slot, p11crypto_slot(key), in.buf, in.len, length(len));
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_3(p11crypto_ecdh_obj, ecdh);

// --- sealed bytes --------------------------------------------------------------------------

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

// (master, context, aad, data)
static mp_obj_t seal_bytes(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    p11_binding_t binding;
    mp_buffer_info_t in;
    vstr_t out;
    read_binding(&binding, args[1], args[2]);
    p11crypto_read(args[3], &in);
    vstr_init_len(&out, in.len + P11_NONCE + P11_TAG);
    p11crypto_check(
        p11_seal_bytes((uint8_t *)out.buf, p11crypto_slot(args[0]), &binding, in.buf, in.len));
    return mp_obj_new_bytes_from_vstr(&out);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_seal_bytes_obj, 4, 4, seal_bytes);

// (master, blob, context, aad)
static mp_obj_t unseal_bytes(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    p11_binding_t binding;
    mp_buffer_info_t blob;
    p11crypto_read(args[1], &blob);
    read_binding(&binding, args[2], args[3]);
    size_t overhead = P11_NONCE + P11_TAG;
    size_t len = blob.len > overhead ? blob.len - overhead : 0;
    uint8_t *out = m_new(uint8_t, len + 1);
    p11crypto_check(
        p11_unseal_bytes(out, p11crypto_slot(args[0]), blob.buf, blob.len, &binding));
    return mp_obj_new_bytearray_by_ref(len, out);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_unseal_bytes_obj, 4, 4, unseal_bytes);

// --- Hmac, Cmac, Aes -----------------------------------------------------------------------

typedef struct {
    mp_obj_base_t base;
    union {
        p11_keyed_t hmac;
        p11_cmac_t cmac;
        p11_aes_t aes;
    } as;
} running_t;

static running_t *allocate(const mp_obj_type_t *type) {
    running_t *self = mp_obj_malloc_with_finaliser(running_t, type);
    memset(&self->as, 0, sizeof(self->as)); // no slot: what the finaliser sees if a start raises
    return self;
}

static mp_obj_t hmac_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
    const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    int algorithm = (int)mp_obj_get_int(args[0]);
    running_t *self = allocate(type);
    p11crypto_check(p11_keyed_start(&self->as.hmac, algorithm, p11crypto_slot(args[1])));
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t cmac_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
    const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    running_t *self = allocate(type);
    p11crypto_check(p11_cmac_start(&self->as.cmac, p11crypto_slot(args[0])));
    return MP_OBJ_FROM_PTR(self);
}

// (slot, encrypt, iv or None)
static mp_obj_t aes_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
    const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 3, 3, false);
    mp_buffer_info_t iv = { 0 };
    if (args[2] != mp_const_none) {
        p11crypto_read(args[2], &iv);
    }
    running_t *self = allocate(type);
    const uint8_t *start = args[2] == mp_const_none ? NULL : iv.buf != NULL ? iv.buf
                                                                            : (const void *)"";
    p11crypto_check(p11_aes_start(&self->as.aes, p11crypto_slot(args[0]),
        mp_obj_is_true(args[1]), start, iv.len));
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t hmac_update(mp_obj_t self_in, mp_obj_t data) {
    running_t *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t in;
    p11crypto_read(data, &in);
    p11crypto_check(p11_keyed_update(&self->as.hmac, in.buf, in.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(hmac_update_obj, hmac_update);

static mp_obj_t hmac_digest(mp_obj_t self_in) {
    running_t *self = MP_OBJ_TO_PTR(self_in);
    uint8_t out[P11_HASH_MAX];
    p11crypto_check(p11_keyed_digest(out, &self->as.hmac));
    return mp_obj_new_bytes(out, p11_hash_size((int)self->as.hmac.inner.algorithm));
}
static MP_DEFINE_CONST_FUN_OBJ_1(hmac_digest_obj, hmac_digest);

static mp_obj_t cmac_update(mp_obj_t self_in, mp_obj_t data) {
    running_t *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t in;
    p11crypto_read(data, &in);
    p11crypto_check(p11_cmac_update(&self->as.cmac, in.buf, in.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(cmac_update_obj, cmac_update);

static mp_obj_t cmac_digest(mp_obj_t self_in) {
    running_t *self = MP_OBJ_TO_PTR(self_in);
    uint8_t out[16];
    p11crypto_check(p11_cmac_digest(out, &self->as.cmac));
    return mp_obj_new_bytes(out, sizeof(out));
}
static MP_DEFINE_CONST_FUN_OBJ_1(cmac_digest_obj, cmac_digest);

static mp_obj_t aes_update(mp_obj_t self_in, mp_obj_t data) {
    running_t *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t in;
    vstr_t out;
    p11crypto_read(data, &in);
    vstr_init_len(&out, in.len);
    p11crypto_check(p11_aes_update((uint8_t *)out.buf, &self->as.aes, in.buf, in.len));
    return mp_obj_new_bytes_from_vstr(&out);
}
static MP_DEFINE_CONST_FUN_OBJ_2(aes_update_obj, aes_update);

static mp_obj_t wipe(mp_obj_t self_in) {
    running_t *self = MP_OBJ_TO_PTR(self_in);
    p11_wipe(&self->as, sizeof(self->as));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(wipe_obj, wipe);

static const mp_rom_map_elem_t hmac_table[] = {
    { MP_ROM_QSTR(MP_QSTR_update), MP_ROM_PTR(&hmac_update_obj) },
    { MP_ROM_QSTR(MP_QSTR_digest), MP_ROM_PTR(&hmac_digest_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&wipe_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&wipe_obj) },
};
static MP_DEFINE_CONST_DICT(hmac_locals, hmac_table);

static const mp_rom_map_elem_t cmac_table[] = {
    { MP_ROM_QSTR(MP_QSTR_update), MP_ROM_PTR(&cmac_update_obj) },
    { MP_ROM_QSTR(MP_QSTR_digest), MP_ROM_PTR(&cmac_digest_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&wipe_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&wipe_obj) },
};
static MP_DEFINE_CONST_DICT(cmac_locals, cmac_table);

static const mp_rom_map_elem_t aes_table[] = {
    { MP_ROM_QSTR(MP_QSTR_update), MP_ROM_PTR(&aes_update_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&wipe_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&wipe_obj) },
};
static MP_DEFINE_CONST_DICT(aes_locals, aes_table);

MP_DEFINE_CONST_OBJ_TYPE(
    p11crypto_hmac_type, MP_QSTR_Hmac, MP_TYPE_FLAG_NONE,
    make_new, hmac_new, locals_dict, &hmac_locals);
MP_DEFINE_CONST_OBJ_TYPE(
    p11crypto_cmac_type, MP_QSTR_Cmac, MP_TYPE_FLAG_NONE,
    make_new, cmac_new, locals_dict, &cmac_locals);
MP_DEFINE_CONST_OBJ_TYPE(
    p11crypto_aes_type, MP_QSTR_Aes, MP_TYPE_FLAG_NONE,
    make_new, aes_new, locals_dict, &aes_locals);
