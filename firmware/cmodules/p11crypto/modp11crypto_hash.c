// SPDX-License-Identifier: MIT
// MicroPython binding: hashes. A Hash object holds the running state itself and wipes it when it
// is collected.
#include <string.h>

#include "modp11crypto.h"
#include "py/runtime.h"

typedef struct {
    mp_obj_base_t base;
    p11_hash_t hash;
} hash_obj_t;

static mp_obj_t sha256(mp_obj_t data) {
    uint8_t digest[32];
    mp_buffer_info_t in;
    p11crypto_read(data, &in);
    p11crypto_check(p11_sha256(digest, in.buf, in.len));
    return mp_obj_new_bytes(digest, sizeof(digest));
}
MP_DEFINE_CONST_FUN_OBJ_1(p11crypto_sha256_obj, sha256);

static mp_obj_t make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
    const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    mp_int_t algorithm = mp_obj_get_int(args[0]);
    hash_obj_t *self = mp_obj_malloc_with_finaliser(hash_obj_t, type);
    self->hash.algorithm = 0; // what the finaliser sees if the next line raises
    p11crypto_check(p11_hash_start(&self->hash, (int)algorithm));
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t update(mp_obj_t self_in, mp_obj_t data) {
    hash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t in;
    p11crypto_read(data, &in);
    p11crypto_check(p11_hash_update(&self->hash, in.buf, in.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(update_obj, update);

static mp_obj_t digest(mp_obj_t self_in) {
    hash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    uint8_t out[P11_HASH_MAX];
    p11crypto_check(p11_hash_digest(out, &self->hash));
    return mp_obj_new_bytes(out, p11_hash_size((int)self->hash.algorithm));
}
static MP_DEFINE_CONST_FUN_OBJ_1(digest_obj, digest);

static mp_obj_t copy(mp_obj_t self_in) {
    hash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->hash.algorithm == 0) {
        p11crypto_check(P11_BAD_HASH);
    }
    hash_obj_t *other = mp_obj_malloc_with_finaliser(hash_obj_t, &p11crypto_hash_type);
    other->hash = self->hash;
    return MP_OBJ_FROM_PTR(other);
}
static MP_DEFINE_CONST_FUN_OBJ_1(copy_obj, copy);

static mp_obj_t wipe(mp_obj_t self_in) {
    hash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    p11_wipe(&self->hash, sizeof(self->hash));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(wipe_obj, wipe);

static const mp_rom_map_elem_t locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_update), MP_ROM_PTR(&update_obj) },
    { MP_ROM_QSTR(MP_QSTR_digest), MP_ROM_PTR(&digest_obj) },
    { MP_ROM_QSTR(MP_QSTR_copy), MP_ROM_PTR(&copy_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&wipe_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&wipe_obj) },
};
static MP_DEFINE_CONST_DICT(locals, locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    p11crypto_hash_type,
    MP_QSTR_Hash,
    MP_TYPE_FLAG_NONE,
    make_new, make_new,
    locals_dict, &locals);
