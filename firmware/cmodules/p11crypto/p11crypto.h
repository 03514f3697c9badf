// SPDX-License-Identifier: MIT
// Public interface of the cryptographic core of the token: what the bindings and the port call.
//
// Rules. Key values live in a fixed array of slots and never leave it in clear; callers hold
// handles. Outputs come first and have a fixed size. Every function returns P11_OK or one of the
// codes below, with the outputs zeroed on failure. Nothing here allocates from a heap, raises a
// MicroPython exception, polls for events or may be called from an interrupt.
#ifndef P11CRYPTO_H
#define P11CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Status codes. P11_BAD_* name a wrong argument; p11_word() gives the word shown to the user.
typedef enum {
    P11_OK,
    P11_NO,       // a verdict, not an error: signature or PIN is wrong
    P11_FULL,     // no free slot
    P11_ENTROPY,  // the entropy source failed; only a chip reset helps
    P11_INTERNAL, // the arithmetic library failed or a fault was detected
    P11_BAD_SLOT,
    P11_BAD_CURVE,
    P11_BAD_SCALAR,
    P11_BAD_POINT,
    P11_BAD_DIGEST,
    P11_BAD_SIGNATURE,
    P11_BAD_HASH,
    P11_BAD_PIN,
    P11_BAD_SALT,
    P11_BAD_ITERATIONS,
    P11_BAD_BLOB,
    P11_BAD_CONTEXT,
    P11_BAD_KIND,
    P11_BAD_SEALED,
    P11_BAD_SEED,
    P11_BAD_LENGTH,
    P11_BAD_BLOCK,
    P11_BAD_MODULUS,
    P11_BAD_EXPONENT,
    P11_BAD_KEY,
    P11_CODES
} p11_status_t;

const char *p11_word(int status);

// --- slots ---------------------------------------------------------------------------------

// Kinds of keys; a curve number is the kind of its private key.
enum { P11_P256 = 1,
    P11_P384 = 2,
    P11_SECRET = 3,
    P11_MASTER = 4,
    P11_RSA_2048 = 5 };

// A handle is index | generation << 8 and never 0. It fits a small int of a 32-bit MicroPython.
typedef uint32_t p11_slot_t;

int p11_release(p11_slot_t slot);
void p11_wipe_all(void);
size_t p11_slots_used(void);

// --- random --------------------------------------------------------------------------------

typedef struct {
    uint32_t state;   // 0 not started, 1 ok, 2 failed
    uint32_t samples; // 8-bit samples examined
    uint32_t rct_alarms;
    uint32_t apt_alarms;
    uint32_t restarts;
    uint32_t reseeds;
} p11_entropy_info_t;

int p11_random(uint8_t *out, size_t len);
int p11_random_add(const uint8_t *data, size_t len);
int p11_hardware_poll(uint8_t *out, size_t len);
// Whether this build has a hardware source. Without one everything that needs random numbers fails
// with P11_ENTROPY until p11_entropy_seed.
bool p11_has_source(void);
#define P11_SEED 64
#define P11_PERSONAL_MAX 64
// Instantiates the generator from a seed that is used once and was replaced in storage before the
// call. Where a source exists or the generator runs, the seed is mixed in. Wipes seed.
int p11_entropy_seed(uint8_t *seed, size_t len, const uint8_t *personal, size_t personal_len);
void p11_entropy_info(p11_entropy_info_t *out);

// --- hashes --------------------------------------------------------------------------------

enum { P11_SHA1 = 1,
    P11_SHA224 = 2,
    P11_SHA256 = 3,
    P11_SHA384 = 4,
    P11_SHA512 = 5 };
#define P11_HASH_MAX 64

// Room for any of the library's hash contexts (checked in hash.c); plain memory, may be copied.
typedef struct {
    uint64_t context[28];
    uint32_t algorithm; // 0 after wiping
} p11_hash_t;

size_t p11_hash_size(int algorithm);
int p11_hash_start(p11_hash_t *hash, int algorithm);
int p11_hash_update(p11_hash_t *hash, const uint8_t *data, size_t len);
// Writes p11_hash_size() bytes; the running state stays as it was.
int p11_hash_digest(uint8_t out[P11_HASH_MAX], const p11_hash_t *hash);
int p11_sha256(uint8_t out[32], const uint8_t *data, size_t len);

// --- elliptic curves -----------------------------------------------------------------------

#define P11_SCALAR_MAX 48
#define P11_POINT_MAX (1 + 2 * P11_SCALAR_MAX)
#define P11_SIGNATURE_MAX (2 * P11_SCALAR_MAX)

// Bytes of a scalar of the curve, 0 for an unknown curve.
size_t p11_ec_size(int curve);
int p11_ec_generate(p11_slot_t *slot, int curve);
// Wipes scalar whatever happens.
int p11_ec_import(p11_slot_t *slot, int curve, uint8_t *scalar, size_t len);
int p11_ec_public(uint8_t point[P11_POINT_MAX], size_t *len, p11_slot_t slot);
// P11_OK on the curve, P11_NO otherwise.
int p11_ec_check(int curve, const uint8_t *point, size_t len);
int p11_ecdsa_sign(uint8_t signature[P11_SIGNATURE_MAX], size_t *len, p11_slot_t slot,
    const uint8_t *digest, size_t digest_len);
// P11_OK good signature, P11_NO bad one.
int p11_ecdsa_verify(int curve, const uint8_t *point, size_t point_len, const uint8_t *digest,
    size_t digest_len, const uint8_t *signature, size_t signature_len);

// --- RSA -----------------------------------------------------------------------------------

// RFC 8017 §3 and §5.2, 2048 bits, two primes of 1024 bits, 3 <= e < 2^32. Numbers are big endian
// with any count of leading zeros.
#define P11_RSA_BLOCK 256

typedef struct {
    const uint8_t *data;
    size_t len;
} p11_number_t;

// Everything a private key consists of. The import wipes the secrets whatever happens.
#define P11_RSA_SECRETS 6
typedef struct {
    p11_number_t n;
    p11_number_t e;
    struct {
        uint8_t *data;
        size_t len;
    } secret[P11_RSA_SECRETS]; // d, p, q, d mod p-1, d mod q-1, 1/q mod p
} p11_rsa_key_t;

// P11_BAD_MODULUS, P11_BAD_EXPONENT (e): size or parity; P11_BAD_KEY: the numbers are not of one
// key. p and q are not proved to be prime, but a random block comes back from d and e.
int p11_rsa_import(p11_slot_t *slot, const p11_rsa_key_t *key);
// block^d mod n, blinded, and released only when the e-th power gives block again. P11_BAD_BLOCK:
// not 256 bytes or not less than n.
int p11_rsa_private(uint8_t out[P11_RSA_BLOCK], p11_slot_t slot, const uint8_t *block, size_t len);
// block^e mod n.
int p11_rsa_public(uint8_t out[P11_RSA_BLOCK], const p11_number_t *n, const p11_number_t *e,
    const uint8_t *block, size_t len);

// --- master key, sealing -------------------------------------------------------------------

#define P11_NONCE 12
#define P11_TAG 16
#define P11_WRAPPED (P11_NONCE + 32 + P11_TAG)
#define P11_SECRET_MAX 64
// p, q, d mod p-1, d mod q-1, 1/q mod p, e: what an RSA slot holds.
#define P11_RSA_KEY (5 * 128 + 4)
#define P11_SEALED_MAX (P11_NONCE + P11_RSA_KEY + P11_TAG)
#define P11_MAC 16

// What stretches a PIN into a key-encryption key. iterations 0 means one HMAC, no stretching.
typedef struct {
    const uint8_t *pin; // 1..255 bytes
    size_t pin_len;
    const uint8_t *salt; // 8..64 bytes
    size_t salt_len;
    uint32_t iterations; // 0..10 000 000
    const uint8_t *aad;  // bound to the wrap: role, token, generation
    size_t aad_len;
} p11_pin_t;

int p11_master_new(p11_slot_t *slot);
int p11_master_wrap(uint8_t out[P11_WRAPPED], p11_slot_t master, const p11_pin_t *pin);
// P11_NO when the tag says that the PIN is wrong.
int p11_master_unwrap(p11_slot_t *slot, const p11_pin_t *pin, const uint8_t *blob, size_t len);

// A PIN that only this chip can make (32 hex digits): from its device secret, the same each time. P11_NO
// and zeros on a chip without one. For boards that start unattended (docs/TLS.md).
#define P11_DEVICE_PIN 32
int p11_device_pin(uint8_t out[P11_DEVICE_PIN]);

// What a sealed value is bound to. context: 1..32 bytes, object id and version.
typedef struct {
    const uint8_t *context;
    size_t context_len;
    const uint8_t *aad;
    size_t aad_len;
} p11_binding_t;

int p11_seal(uint8_t out[P11_SEALED_MAX], size_t *len, p11_slot_t master, p11_slot_t slot,
    const p11_binding_t *binding);
int p11_unseal(p11_slot_t *slot, p11_slot_t master, const uint8_t *blob, size_t len,
    const p11_binding_t *binding, int kind);
// Any bytes: out has len + P11_NONCE + P11_TAG bytes, back again that many fewer.
int p11_seal_bytes(uint8_t *out, p11_slot_t master, const p11_binding_t *binding,
    const uint8_t *data, size_t len);
int p11_unseal_bytes(uint8_t *out, p11_slot_t master, const uint8_t *blob, size_t len,
    const p11_binding_t *binding);
int p11_mac(uint8_t out[P11_MAC], p11_slot_t master, const uint8_t *context, size_t context_len,
    const uint8_t *data, size_t len);

// --- secret keys ---------------------------------------------------------------------------

// 1..P11_SECRET_MAX bytes; import wipes value whatever happens.
int p11_secret_import(p11_slot_t *slot, uint8_t *value, size_t len);
int p11_secret_generate(p11_slot_t *slot, size_t len);
int p11_secret_export(uint8_t out[P11_SECRET_MAX], size_t *len, p11_slot_t slot);
int p11_secret_size(size_t *len, p11_slot_t slot);
// ECDH (SP 800-56A §5.7.1.2): the last len bytes of the x coordinate become a secret key.
int p11_ecdh(p11_slot_t *slot, p11_slot_t key, const uint8_t *point, size_t point_len, size_t len);

// Running operations. They hold the slot, never the key: the slot must live as long as they do.
typedef struct {
    p11_hash_t inner;
    p11_slot_t slot;
} p11_keyed_t; // HMAC (FIPS 198-1)
typedef struct {
    uint8_t chain[16];
    uint8_t pending[16];
    uint32_t used;
    p11_slot_t slot;
} p11_cmac_t; // CMAC (SP 800-38B)
typedef struct {
    uint8_t chain[16];
    uint8_t mode; // bit 0 encrypt, bit 1 CBC
    p11_slot_t slot;
} p11_aes_t; // ECB, CBC (SP 800-38A)

int p11_keyed_start(p11_keyed_t *hmac, int algorithm, p11_slot_t slot);
int p11_keyed_update(p11_keyed_t *hmac, const uint8_t *data, size_t len);
int p11_keyed_digest(uint8_t out[P11_HASH_MAX], const p11_keyed_t *hmac);
int p11_cmac_start(p11_cmac_t *cmac, p11_slot_t slot);
int p11_cmac_update(p11_cmac_t *cmac, const uint8_t *data, size_t len);
int p11_cmac_digest(uint8_t out[16], const p11_cmac_t *cmac);
// iv NULL: ECB.
int p11_aes_start(p11_aes_t *aes, p11_slot_t slot, bool encrypt, const uint8_t *iv, size_t iv_len);
// Whole blocks.
int p11_aes_update(uint8_t *out, p11_aes_t *aes, const uint8_t *data, size_t len);

// --- memory --------------------------------------------------------------------------------

void p11_wipe(void *buf, size_t len);
bool p11_equal(const void *a, const void *b, size_t len); // constant time

// --- for the port --------------------------------------------------------------------------

// os.urandom: 0, or -1 with the buffer zeroed.
int p11crypto_random(uint8_t *buf, size_t len);
// Wipes slots, generator and work memory. Call it before the heap of the VM goes away.
void p11crypto_soft_reset(void);

// The port provides: raw bytes of the chip's source, false when its hardware reports a fault.
bool p11_chip_entropy(uint8_t *out, size_t len);
// The port provides: an identity that differs between chips; it need not be secret.
void p11_chip_unique_id(uint8_t out[16]);
// The port may provide: a secret of this chip that a flash dump does not contain. Returns 0 or 32.
size_t p11_chip_device_secret(uint8_t out[32]);

#ifdef __cplusplus
}
#endif

#endif
