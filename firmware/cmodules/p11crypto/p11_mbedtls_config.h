// SPDX-License-Identifier: MIT
// Configuration of this module's own copy of mbedTLS 3.6: what ec_mbedtls.c, rsa.c, drbg.c, seal.c
// and hash.c call, and nothing else.

// Memory: the module's arena, never a heap shared with others.
#include "arena.h"
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO p11_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO p11_free
#define MBEDTLS_DEPRECATED_REMOVED

// Elliptic curves. Without NIST_OPTIM and HAVE_ASM a signature costs four to five times more.
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 1
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ASN1_PARSE_C // asked for by ECDSA_C; the linker drops it
#define MBEDTLS_ASN1_WRITE_C
#if P11_RFC6979
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_MD_C
#endif

// RSA without padding; the linker drops what the two after it bring.
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_OID_C

// Symmetric cryptography. The tables of AES lie in flash.
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_GCM_C
#define MBEDTLS_CTR_DRBG_C

// Hashes.
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#if P11_FAST_SHA256
#define MBEDTLS_SHA256_PROCESS_ALT // sha256/process_mbedtls.c
#endif
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
