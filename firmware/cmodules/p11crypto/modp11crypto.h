// SPDX-License-Identifier: MIT
// Shared by the files of the binding.
#ifndef MODP11CRYPTO_H
#define MODP11CRYPTO_H

#include "p11crypto.h"
#include "py/obj.h"

extern const mp_obj_type_t p11crypto_hash_type;
extern const mp_obj_type_t p11crypto_hmac_type;
extern const mp_obj_type_t p11crypto_cmac_type;
extern const mp_obj_type_t p11crypto_aes_type;

MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_sha256_obj);
MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_ec_generate_obj);
MP_DECLARE_CONST_FUN_OBJ_2(p11crypto_ec_import_obj);
MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_ec_public_obj);
MP_DECLARE_CONST_FUN_OBJ_2(p11crypto_ec_check_obj);
MP_DECLARE_CONST_FUN_OBJ_2(p11crypto_ecdsa_sign_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_ecdsa_verify_obj);
MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_device_pin_obj);
MP_DECLARE_CONST_FUN_OBJ_0(p11crypto_master_new_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_master_wrap_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_master_unwrap_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_seal_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_unseal_obj);
MP_DECLARE_CONST_FUN_OBJ_3(p11crypto_mac_obj);
MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_secret_import_obj);
MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_secret_generate_obj);
MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_secret_export_obj);
MP_DECLARE_CONST_FUN_OBJ_1(p11crypto_secret_size_obj);
MP_DECLARE_CONST_FUN_OBJ_3(p11crypto_ecdh_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_seal_bytes_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_unseal_bytes_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(p11crypto_rsa_import_obj);
MP_DECLARE_CONST_FUN_OBJ_2(p11crypto_rsa_private_obj);
MP_DECLARE_CONST_FUN_OBJ_3(p11crypto_rsa_public_obj);

// Raises what a status code stands for; returns for P11_OK. Never called with the core's frames
// on the stack, so an exception leaves nothing half done.
void p11crypto_check(int status);
// A slot number from a Python object; 0, which is never valid, for what cannot be one.
p11_slot_t p11crypto_slot(mp_obj_t object);
// A new slot as Python sees it, or the exception of status.
mp_obj_t p11crypto_new_slot(int status, p11_slot_t slot);
void p11crypto_read(mp_obj_t object, mp_buffer_info_t *info);
void p11crypto_write(mp_obj_t object, mp_buffer_info_t *info);

#endif
