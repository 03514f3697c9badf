// SPDX-License-Identifier: MIT
// MicroPython binding: RSA.
#include "modp11crypto.h"
#include "py/runtime.h"

static p11_number_t number(mp_obj_t object) {
    mp_buffer_info_t in;
    p11crypto_read(object, &in);
    return (p11_number_t){ in.buf, in.len };
}

// (n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p)
static mp_obj_t rsa_import(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    p11_slot_t slot;
    p11_rsa_key_t key = { .n = number(args[0]), .e = number(args[1]) };
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        mp_buffer_info_t in;
        p11crypto_write(args[2 + i], &in);
        key.secret[i].data = in.buf;
        key.secret[i].len = in.len;
    }
    int status = p11_rsa_import(&slot, &key);
    return p11crypto_new_slot(status, slot);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_rsa_import_obj, 8, 8, rsa_import);

static mp_obj_t rsa_private(mp_obj_t slot, mp_obj_t block) {
    uint8_t out[P11_RSA_BLOCK];
    p11_number_t in = number(block);
    p11crypto_check(p11_rsa_private(out, p11crypto_slot(slot), in.data, in.len));
    return mp_obj_new_bytes(out, sizeof(out));
}
MP_DEFINE_CONST_FUN_OBJ_2(p11crypto_rsa_private_obj, rsa_private);

static mp_obj_t rsa_public(mp_obj_t n_in, mp_obj_t e_in, mp_obj_t block) {
    uint8_t out[P11_RSA_BLOCK];
    p11_number_t n = number(n_in);
    p11_number_t e = number(e_in);
    p11_number_t in = number(block);
    p11crypto_check(p11_rsa_public(out, &n, &e, in.data, in.len));
    return mp_obj_new_bytes(out, sizeof(out));
}
MP_DEFINE_CONST_FUN_OBJ_3(p11crypto_rsa_public_obj, rsa_public);
