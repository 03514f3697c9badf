// SPDX-License-Identifier: MIT
// The operations of the core that compute with secrets, each without arguments, on keys made once.
// Each leaves its status in `result`.
#ifndef RESIDUE_RUNS_H
#define RESIDUE_RUNS_H

#include "own_stack.h"

// The secrets they use.
extern const uint8_t scalar[32]; // of the EC key; of the secret key the value
extern const char pin_text[19];
extern uint8_t master_value[32];
extern const char message_text[44];
extern const char *const rsa_texts[P11_RSA_SECRETS]; // hexadecimal

extern uint8_t input[32];            // of the imports
extern uint8_t wrapped[P11_WRAPPED]; // the master key under the PIN
extern p11_slot_t made;              // by the last operation that makes a key

// Make the keys; false when that fails.
bool prepare(void);
void prepare_rsa(void);

void run_import(void);
void run_public(void);
void run_sign(void);
void run_seal(void);
void run_unseal(void);
void run_wrap(void);
void run_unwrap(void);
void run_generate(void);
void run_master_new(void);
void run_mac(void);
void run_secret_import(void);
void run_secret_generate(void);
void run_secret_export(void);
void run_ecdh(void);
void run_seal_bytes(void);
void run_unseal_bytes(void);
void run_hmac_start(void);
void run_hmac_start_512(void);
void run_hmac_update(void);
void run_hmac_digest(void);
void run_cmac(void);
void run_cmac_update(void);
void run_cmac_digest(void);
void run_encrypt_start(void);
void run_decrypt_start(void);
void run_aes_update(void);
void run_rsa_import(void);
void run_rsa_private(void);
void run_rsa_seal(void);
void run_rsa_unseal(void);

#endif
