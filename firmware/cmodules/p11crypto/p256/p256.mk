# SPDX-License-Identifier: MIT
# The files of the P-256 engine and its SHA-256, relative to the directory above, without suffix.
# Each assembly file is empty on cores that it is not for, so all are always built.
P256_C = p256/comb p256/combs p256/ecdh p256/field p256/field_portable p256/inverse p256/nonce \
	p256/odd p256/point p256/scalar p256/sign p256/verify p256/word sha256/fast_sha256
P256_S = p256/field_arm p256/inverse_arm p256/mul_arm p256/point_arm p256/scalar_arm \
	sha256/fast_sha256_arm
