// SPDX-License-Identifier: MIT
// MicroPython binding of the cryptographic core: errors, random, slots and the module itself.
// The binding converts arguments, calls one function of p11crypto.h and converts the result.
#include "modp11crypto.h"
#include "py/mperrno.h"
#include "py/runtime.h"

void p11crypto_check(int status) {
    switch (status) {
        case P11_OK:
            return;
        case P11_FULL:
            mp_raise_type(&mp_type_MemoryError);
        case P11_ENTROPY:
            mp_raise_OSError(MP_EIO);
        case P11_INTERNAL:
            mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("crypto"));
        default:
            mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%s"), p11_word(status));
    }
}

p11_slot_t p11crypto_slot(mp_obj_t object) {
    mp_int_t value = mp_obj_get_int(object);
    return value > 0 ? (p11_slot_t)value : 0;
}

mp_obj_t p11crypto_new_slot(int status, p11_slot_t slot) {
    p11crypto_check(status);
    return MP_OBJ_NEW_SMALL_INT(slot);
}

void p11crypto_read(mp_obj_t object, mp_buffer_info_t *info) {
    mp_get_buffer_raise(object, info, MP_BUFFER_READ);
}

void p11crypto_write(mp_obj_t object, mp_buffer_info_t *info) {
    mp_get_buffer_raise(object, info, MP_BUFFER_RW);
}

// --- random --------------------------------------------------------------------------------

static mp_obj_t p11crypto_random_(mp_obj_t buffer) {
    mp_buffer_info_t out;
    p11crypto_write(buffer, &out);
    p11crypto_check(p11_random(out.buf, out.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(random_obj, p11crypto_random_);

static mp_obj_t random_add(mp_obj_t data) {
    mp_buffer_info_t in;
    p11crypto_read(data, &in);
    p11crypto_check(p11_random_add(in.buf, in.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(random_add_obj, random_add);

static mp_obj_t hardware_poll(mp_obj_t buffer) {
    mp_buffer_info_t out;
    p11crypto_write(buffer, &out);
    p11crypto_check(p11_hardware_poll(out.buf, out.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(hardware_poll_obj, hardware_poll);

static mp_obj_t has_source(void) {
    return mp_obj_new_bool(p11_has_source());
}
static MP_DEFINE_CONST_FUN_OBJ_0(has_source_obj, has_source);

static mp_obj_t entropy_seed(mp_obj_t seed, mp_obj_t personal) {
    mp_buffer_info_t in;
    mp_buffer_info_t more;
    p11crypto_read(personal, &more);
    p11crypto_write(seed, &in);
    p11crypto_check(p11_entropy_seed(in.buf, in.len, more.buf, more.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(entropy_seed_obj, entropy_seed);

static mp_obj_t entropy_info(void) {
    p11_entropy_info_t info;
    p11_entropy_info(&info);
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(info.state),
        mp_obj_new_int_from_uint(info.samples),
        mp_obj_new_int_from_uint(info.rct_alarms),
        mp_obj_new_int_from_uint(info.apt_alarms),
        mp_obj_new_int_from_uint(info.restarts),
        mp_obj_new_int_from_uint(info.reseeds),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(entropy_info_obj, entropy_info);

// --- slots and memory ----------------------------------------------------------------------

static mp_obj_t release(mp_obj_t slot) {
    p11crypto_check(p11_release(p11crypto_slot(slot)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(release_obj, release);

static mp_obj_t wipe_all(void) {
    p11_wipe_all();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(wipe_all_obj, wipe_all);

static mp_obj_t slots_used(void) {
    return MP_OBJ_NEW_SMALL_INT(p11_slots_used());
}
static MP_DEFINE_CONST_FUN_OBJ_0(slots_used_obj, slots_used);

static mp_obj_t wipe(mp_obj_t buffer) {
    mp_buffer_info_t out;
    p11crypto_write(buffer, &out);
    p11_wipe(out.buf, out.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(wipe_obj, wipe);

static mp_obj_t compare(mp_obj_t a, mp_obj_t b) {
    mp_buffer_info_t x;
    mp_buffer_info_t y;
    p11crypto_read(a, &x);
    p11crypto_read(b, &y);
    return mp_obj_new_bool(x.len == y.len && p11_equal(x.buf, y.buf, x.len));
}
static MP_DEFINE_CONST_FUN_OBJ_2(compare_obj, compare);

// --- module --------------------------------------------------------------------------------

extern const mp_obj_module_t p11crypto_module;

#if MICROPY_MODULE_BUILTIN_INIT
// Called by every import statement that does not find the module in sys.modules. The first one
// after a soft reset wipes what an earlier life left, even on a port that does not call
// p11crypto_soft_reset(), and puts the module there; the others change nothing.
static mp_obj_t init(void) {
    mp_obj_dict_t *loaded = &MP_STATE_VM(mp_loaded_modules_dict);
    const mp_obj_t name = MP_OBJ_NEW_QSTR(MP_QSTR_p11crypto);
    if (mp_map_lookup(&loaded->map, name, MP_MAP_LOOKUP) == NULL) {
        p11crypto_soft_reset();
        mp_obj_dict_store(MP_OBJ_FROM_PTR(loaded), name, MP_OBJ_FROM_PTR(&p11crypto_module));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(init_obj, init);
#endif

static const mp_rom_map_elem_t globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_p11crypto) },
#if MICROPY_MODULE_BUILTIN_INIT
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&init_obj) },
#endif
    { MP_ROM_QSTR(MP_QSTR_P256), MP_ROM_INT(P11_P256) },
    { MP_ROM_QSTR(MP_QSTR_P384), MP_ROM_INT(P11_P384) },
    { MP_ROM_QSTR(MP_QSTR_EC_P256), MP_ROM_INT(P11_P256) },
    { MP_ROM_QSTR(MP_QSTR_EC_P384), MP_ROM_INT(P11_P384) },
    { MP_ROM_QSTR(MP_QSTR_SECRET), MP_ROM_INT(P11_SECRET) },
    { MP_ROM_QSTR(MP_QSTR_MASTER), MP_ROM_INT(P11_MASTER) },
    { MP_ROM_QSTR(MP_QSTR_RSA_2048), MP_ROM_INT(P11_RSA_2048) },
    { MP_ROM_QSTR(MP_QSTR_SHA1), MP_ROM_INT(P11_SHA1) },
    { MP_ROM_QSTR(MP_QSTR_SHA224), MP_ROM_INT(P11_SHA224) },
    { MP_ROM_QSTR(MP_QSTR_SHA256), MP_ROM_INT(P11_SHA256) },
    { MP_ROM_QSTR(MP_QSTR_SHA384), MP_ROM_INT(P11_SHA384) },
    { MP_ROM_QSTR(MP_QSTR_SHA512), MP_ROM_INT(P11_SHA512) },
    { MP_ROM_QSTR(MP_QSTR_random), MP_ROM_PTR(&random_obj) },
    { MP_ROM_QSTR(MP_QSTR_random_add), MP_ROM_PTR(&random_add_obj) },
    { MP_ROM_QSTR(MP_QSTR_hardware_poll), MP_ROM_PTR(&hardware_poll_obj) },
    { MP_ROM_QSTR(MP_QSTR_has_source), MP_ROM_PTR(&has_source_obj) },
    { MP_ROM_QSTR(MP_QSTR_entropy_seed), MP_ROM_PTR(&entropy_seed_obj) },
    { MP_ROM_QSTR(MP_QSTR_entropy_info), MP_ROM_PTR(&entropy_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_sha256), MP_ROM_PTR(&p11crypto_sha256_obj) },
    { MP_ROM_QSTR(MP_QSTR_Hash), MP_ROM_PTR(&p11crypto_hash_type) },
    { MP_ROM_QSTR(MP_QSTR_ec_generate), MP_ROM_PTR(&p11crypto_ec_generate_obj) },
    { MP_ROM_QSTR(MP_QSTR_ec_import), MP_ROM_PTR(&p11crypto_ec_import_obj) },
    { MP_ROM_QSTR(MP_QSTR_ec_public), MP_ROM_PTR(&p11crypto_ec_public_obj) },
    { MP_ROM_QSTR(MP_QSTR_ec_check), MP_ROM_PTR(&p11crypto_ec_check_obj) },
    { MP_ROM_QSTR(MP_QSTR_ecdsa_sign), MP_ROM_PTR(&p11crypto_ecdsa_sign_obj) },
    { MP_ROM_QSTR(MP_QSTR_ecdsa_verify), MP_ROM_PTR(&p11crypto_ecdsa_verify_obj) },
    { MP_ROM_QSTR(MP_QSTR_master_new), MP_ROM_PTR(&p11crypto_master_new_obj) },
    { MP_ROM_QSTR(MP_QSTR_master_wrap), MP_ROM_PTR(&p11crypto_master_wrap_obj) },
    { MP_ROM_QSTR(MP_QSTR_master_unwrap), MP_ROM_PTR(&p11crypto_master_unwrap_obj) },
    { MP_ROM_QSTR(MP_QSTR_seal), MP_ROM_PTR(&p11crypto_seal_obj) },
    { MP_ROM_QSTR(MP_QSTR_unseal), MP_ROM_PTR(&p11crypto_unseal_obj) },
    { MP_ROM_QSTR(MP_QSTR_mac), MP_ROM_PTR(&p11crypto_mac_obj) },
    { MP_ROM_QSTR(MP_QSTR_secret_import), MP_ROM_PTR(&p11crypto_secret_import_obj) },
    { MP_ROM_QSTR(MP_QSTR_secret_generate), MP_ROM_PTR(&p11crypto_secret_generate_obj) },
    { MP_ROM_QSTR(MP_QSTR_secret_export), MP_ROM_PTR(&p11crypto_secret_export_obj) },
    { MP_ROM_QSTR(MP_QSTR_secret_size), MP_ROM_PTR(&p11crypto_secret_size_obj) },
    { MP_ROM_QSTR(MP_QSTR_ecdh), MP_ROM_PTR(&p11crypto_ecdh_obj) },
    { MP_ROM_QSTR(MP_QSTR_seal_bytes), MP_ROM_PTR(&p11crypto_seal_bytes_obj) },
    { MP_ROM_QSTR(MP_QSTR_device_pin), MP_ROM_PTR(&p11crypto_device_pin_obj) },
    { MP_ROM_QSTR(MP_QSTR_unseal_bytes), MP_ROM_PTR(&p11crypto_unseal_bytes_obj) },
    { MP_ROM_QSTR(MP_QSTR_rsa_import), MP_ROM_PTR(&p11crypto_rsa_import_obj) },
    { MP_ROM_QSTR(MP_QSTR_rsa_private), MP_ROM_PTR(&p11crypto_rsa_private_obj) },
    { MP_ROM_QSTR(MP_QSTR_rsa_public), MP_ROM_PTR(&p11crypto_rsa_public_obj) },
    { MP_ROM_QSTR(MP_QSTR_Hmac), MP_ROM_PTR(&p11crypto_hmac_type) },
    { MP_ROM_QSTR(MP_QSTR_Cmac), MP_ROM_PTR(&p11crypto_cmac_type) },
    { MP_ROM_QSTR(MP_QSTR_Aes), MP_ROM_PTR(&p11crypto_aes_type) },
    { MP_ROM_QSTR(MP_QSTR_compare), MP_ROM_PTR(&compare_obj) },
    { MP_ROM_QSTR(MP_QSTR_release), MP_ROM_PTR(&release_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe_all), MP_ROM_PTR(&wipe_all_obj) },
    { MP_ROM_QSTR(MP_QSTR_slots_used), MP_ROM_PTR(&slots_used_obj) },
    { MP_ROM_QSTR(MP_QSTR_wipe), MP_ROM_PTR(&wipe_obj) },
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t p11crypto_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&globals,
};

MP_REGISTER_MODULE(MP_QSTR_p11crypto, p11crypto_module);
