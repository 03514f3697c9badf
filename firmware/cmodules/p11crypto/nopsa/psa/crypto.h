// SPDX-License-Identifier: MIT
// What the library's rsa.c wants of PSA, which this module does not have.
#ifndef P11_NOPSA_CRYPTO_H
#define P11_NOPSA_CRYPTO_H

typedef int psa_status_t;

#endif
