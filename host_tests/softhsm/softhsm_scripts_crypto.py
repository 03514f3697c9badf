# SPDX-License-Identifier: MIT
"""The scripts of softhsm_scripts continued: digest, sign, verify, MAC."""

DIGEST = """
user: C_DigestInit rw SHA256
C_Digest rw text size
C_Digest rw text 31
C_Digest rw text 32
C_Digest rw text all

user: C_DigestInit rw SHA_1
C_DigestUpdate rw text
C_DigestUpdate rw empty
C_DigestUpdate rw text
C_DigestFinal rw size
C_DigestFinal rw 19
C_DigestFinal rw all
C_DigestFinal rw all
C_DigestUpdate rw text

user: C_DigestInit rw SHA224
C_Digest rw text all
C_DigestInit rw SHA384
C_Digest rw text all
C_DigestInit rw SHA512
C_Digest rw empty all
C_DigestInit rw SHA256
C_DigestFinal rw all

user: C_DigestInit rw UNKNOWN
C_DigestInit rw ECDSA
C_DigestInit rw null
C_DigestInit closed SHA256

user: C_DigestInit rw SHA256-parameter

user: C_DigestInit rw SHA256
C_DigestInit rw SHA256
C_DigestInit rw2 SHA256
C_DigestUpdate closed text
C_DigestUpdate rw text
C_Digest rw text all
C_DigestFinal rw all
C_DigestFinal rw2 all

user: C_DigestInit rw SHA256
C_DigestUpdate rw null
C_DigestFinal rw all

user: C_DigestInit rw SHA256
C_Digest rw null all
C_Digest rw text all

user: C_Digest rw text all
C_DigestUpdate rw text
C_DigestFinal rw all
C_Digest closed text all
C_DigestFinal closed all

public: C_DigestInit ro SHA256
C_Digest ro text all
"""

SIGN = """
user: C_SignInit rw ECDSA private
C_Sign rw digest size
C_Sign rw digest 63
C_Sign rw digest all
C_Sign rw digest all
C_VerifyInit rw ECDSA public
C_Verify rw digest $signature
C_Verify rw digest $signature
C_VerifyInit rw ECDSA public
C_Verify rw zeros-32 $signature

user: C_VerifyInit rw ECDSA public
C_Verify rw digest own-signature
C_VerifyInit rw ECDSA public
C_Verify rw digest zeros-64
C_VerifyInit rw ECDSA public
C_Verify rw digest short-signature
C_VerifyInit rw ECDSA public
C_Verify rw digest empty
C_VerifyInit rw ECDSA public
C_Verify rw empty own-signature
C_VerifyInit rw ECDSA public
C_Verify rw null own-signature
C_Verify rw digest own-signature
C_VerifyInit rw ECDSA public
C_Verify rw digest null
C_Verify rw digest own-signature

user: C_SignInit rw ECDSA private
C_Sign rw empty all
C_Sign rw digest all
C_SignInit rw ECDSA private
C_Sign rw null all
C_Sign rw digest all
C_SignInit rw ECDSA private
C_Sign rw digest-64 all
C_SignInit rw ECDSA private
C_Sign rw zeros-16 all
C_VerifyInit rw ECDSA public
C_Verify rw zeros-16 $signature

user: C_SignInit rw ECDSA public
C_SignInit rw ECDSA 0
C_SignInit rw ECDSA certificate
C_SignInit rw ECDSA data
C_SignInit rw ECDSA mute-private
C_SignInit rw UNKNOWN private
C_SignInit rw SHA256 private
C_SignInit rw EC_KEY_PAIR_GEN private
C_SignInit rw SHA256_HMAC private
C_SignInit rw AES_CMAC private
C_SignInit rw null private
C_SignInit closed ECDSA private
C_Sign rw digest all

user: C_SignInit rw ECDSA aes

user: C_VerifyInit rw ECDSA aes

user: C_SignInit rw ECDSA-parameter private

user: C_VerifyInit rw ECDSA-parameter public

user: C_VerifyInit rw ECDSA private
C_VerifyInit rw ECDSA 0
C_VerifyInit rw ECDSA certificate
C_VerifyInit rw ECDSA data
C_VerifyInit rw ECDSA mute-public
C_VerifyInit rw UNKNOWN public
C_VerifyInit rw SHA256 public
C_VerifyInit rw SHA256_HMAC public
C_VerifyInit rw null public
C_VerifyInit closed ECDSA public
C_Verify rw digest own-signature

user: C_SignInit rw ECDSA private
C_SignInit rw ECDSA private
C_VerifyInit rw ECDSA public
C_DigestInit rw SHA256
C_EncryptInit rw AES_ECB aes
C_SignInit rw2 ECDSA private
C_Sign closed digest all
C_Sign rw digest all
C_Sign rw2 digest all

user: C_SignInit rw ECDSA private
C_SignUpdate rw text
C_Sign rw digest all

user: C_SignInit rw ECDSA private
C_SignFinal rw all
C_Sign rw digest all

user: C_VerifyInit rw ECDSA public
C_VerifyUpdate rw text
C_Verify rw digest own-signature

user: C_VerifyInit rw ECDSA public
C_VerifyFinal rw own-signature
C_Verify rw digest own-signature

user: C_Sign rw digest all
C_SignUpdate rw text
C_SignFinal rw all
C_Verify rw digest zeros-64
C_VerifyUpdate rw text
C_VerifyFinal rw zeros-64

user: C_SignInit rw ECDSA private
C_DestroyObject rw private
C_Sign rw digest all

user: C_SignInit rw ECDSA token-private
C_Logout rw
C_Sign rw digest all

user: C_SignInit ro ECDSA token-private
C_Sign ro digest all
C_CloseSession ro
C_Sign ro digest all

user: C_SignInit rw ECDSA_SHA256 private

user: C_VerifyInit rw ECDSA_SHA256 public

public: C_VerifyInit ro ECDSA token-public
C_Verify ro digest own-signature
C_SignInit rw ECDSA token-private
"""

MAC = """
user: C_SignInit rw SHA256_HMAC hmac
C_Sign rw text size
C_Sign rw text 31
C_Sign rw text all
C_VerifyInit rw SHA256_HMAC hmac
C_Verify rw text $signature
C_VerifyInit rw SHA256_HMAC hmac
C_Verify rw digest $signature
C_VerifyInit rw SHA256_HMAC hmac
C_Verify rw text zeros-16
C_SignInit rw SHA256_HMAC hmac
C_Sign rw empty all

user: C_SignInit rw SHA256_HMAC hmac
C_SignUpdate rw text
C_SignUpdate rw empty
C_SignFinal rw size
C_SignFinal rw 31
C_SignFinal rw all
C_SignFinal rw all
C_VerifyInit rw SHA256_HMAC hmac
C_VerifyUpdate rw text
C_VerifyFinal rw $signature
C_VerifyFinal rw $signature

user: C_SignInit rw SHA256_HMAC hmac
C_SignUpdate rw text
C_Sign rw text all
C_SignFinal rw all

user: C_VerifyInit rw SHA256_HMAC hmac
C_VerifyUpdate rw text
C_Verify rw text zeros-32
C_VerifyFinal rw zeros-32

user: C_VerifyInit rw SHA256_HMAC hmac
C_VerifyUpdate rw text
C_VerifyFinal rw zeros-16
C_VerifyInit rw SHA256_HMAC hmac
C_VerifyUpdate rw null
C_VerifyFinal rw zeros-32

user: C_SignInit rw SHA256_HMAC hmac
C_SignUpdate rw null
C_SignFinal rw all

user: C_SignInit rw AES_CMAC aes
C_Sign rw text all
C_VerifyInit rw AES_CMAC aes
C_Verify rw text $signature
C_SignInit rw AES_CMAC aes
C_SignUpdate rw text
C_SignFinal rw all
C_SignInit rw AES_CMAC hmac
C_SignInit rw AES_CMAC mute-aes
C_VerifyInit rw AES_CMAC mute-aes
C_SignInit rw SHA256_HMAC aes

user: C_SignInit rw SHA256_HMAC hmac
C_DestroyObject rw hmac
C_SignUpdate rw text
C_SignFinal rw all
"""

# RSA_X_509 with a block longer than the modulus is left out: SoftHSM2 2.6.1 ends the process.
RSA = """
user: C_GetMechanismInfo slot RSA_PKCS
C_GetMechanismInfo slot SHA256_RSA_PKCS
C_CreateObject rw t-rsa-private
C_CreateObject rw t-rsa-public
C_CreateObject rw t-rsa-no-modulus
C_CreateObject rw t-rsa-no-exponent
C_CreateObject rw t-rsa-verify

user: C_GetAttributeValue rw rsa-private a-rsa
C_GetAttributeValue rw rsa-private a-exponent
C_GetAttributeValue rw rsa-private a-flags
C_GetAttributeValue rw rsa-private a-history
C_GetAttributeValue rw rsa-public a-rsa
C_GetAttributeValue rw rsa-public a-bits
C_GetAttributeValue rw rsa-public a-exponent
C_GetAttributeValue rw rsa-public a-params
C_GetAttributeValue rw rsa-private a-value

user: C_SignInit rw RSA_PKCS rsa-private
C_Sign rw digest size
C_Sign rw digest 255
C_Sign rw digest all
C_VerifyInit rw RSA_PKCS rsa-public
C_Verify rw digest $signature
C_VerifyInit rw RSA_PKCS rsa-public
C_Verify rw zeros-32 $signature
C_VerifyInit rw RSA_PKCS rsa-public
C_Verify rw digest zeros-64
C_VerifyInit rw RSA_PKCS rsa-public
C_Verify rw digest block-256
C_SignInit rw RSA_PKCS rsa-private
C_Sign rw block-245 all
C_SignInit rw RSA_PKCS rsa-private
C_Sign rw block-246 all

user: C_SignInit rw SHA256_RSA_PKCS rsa-private
C_Sign rw text all
C_VerifyInit rw SHA256_RSA_PKCS rsa-public
C_Verify rw text $signature
C_SignInit rw SHA256_RSA_PKCS rsa-private
C_SignUpdate rw text
C_SignUpdate rw empty
C_SignFinal rw size
C_SignFinal rw all
C_VerifyInit rw SHA256_RSA_PKCS rsa-public
C_VerifyUpdate rw text
C_VerifyFinal rw $signature

user: C_SignInit rw RSA_X_509 rsa-private
C_Sign rw block-256 all
C_SignInit rw RSA_X_509 rsa-private
C_Sign rw ones-256 all

user: C_SignInit rw RSA_PKCS rsa-public
C_VerifyInit rw RSA_PKCS rsa-private

user: C_SignInit rw RSA_PKCS private

user: C_SignInit rw RSA_PKCS aes

user: C_VerifyInit rw RSA_PKCS public

user: C_SignInit rw ECDSA rsa-private
"""

SCRIPTS = DIGEST + SIGN + MAC + RSA
