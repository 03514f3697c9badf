# SPDX-License-Identifier: MIT
"""The scripts of softhsm_scripts continued: encryption, making keys, random numbers."""

CIPHER = """
user: C_EncryptInit rw AES_ECB aes
C_Encrypt rw blocks size
C_Encrypt rw blocks 47
C_Encrypt rw blocks all
C_Encrypt rw blocks all
C_DecryptInit rw AES_ECB aes
C_Decrypt rw $encrypted all
C_DecryptInit rw AES_ECB aes
C_Decrypt rw text all
C_EncryptInit rw AES_ECB aes
C_Encrypt rw text all
C_Encrypt rw block all

user: C_EncryptInit rw CBC aes
C_Encrypt rw text size
C_Encrypt rw text all
C_DecryptInit rw CBC aes
C_Decrypt rw $encrypted all
C_DecryptInit rw CBC aes
C_Decrypt rw block all
C_DecryptInit rw CBC aes
C_Decrypt rw text all
C_DecryptInit rw CBC aes
C_Decrypt rw empty all

user: C_EncryptInit rw CBC aes
C_EncryptUpdate rw text all
C_EncryptUpdate rw block all
C_EncryptFinal rw all
C_EncryptFinal rw all

user: C_DecryptInit rw AES_ECB aes
C_DecryptUpdate rw block all
C_DecryptUpdate rw blocks all
C_DecryptFinal rw all
C_DecryptFinal rw all

user: C_EncryptInit rw AES_ECB aes
C_EncryptUpdate rw block 15
C_EncryptUpdate rw block all
C_EncryptFinal rw all

user: C_EncryptInit rw AES_ECB aes
C_EncryptUpdate rw block all
C_Encrypt rw block all
C_EncryptFinal rw all

user: C_EncryptInit rw AES_ECB hmac
C_EncryptInit rw AES_ECB private
C_EncryptInit rw AES_ECB public
C_EncryptInit rw AES_ECB data
C_EncryptInit rw AES_ECB 0
C_EncryptInit rw AES_ECB mute-aes
C_EncryptInit rw UNKNOWN aes
C_EncryptInit rw ECDSA aes
C_EncryptInit rw null aes
C_EncryptInit rw CBC-no-iv aes
C_EncryptInit rw CBC-short-iv aes
C_EncryptInit closed AES_ECB aes
C_Encrypt rw block all

user: C_EncryptInit rw ECB-iv aes

user: C_DecryptInit rw AES_ECB hmac
C_DecryptInit rw AES_ECB private
C_DecryptInit rw AES_ECB data
C_DecryptInit rw AES_ECB 0
C_DecryptInit rw AES_ECB mute-aes
C_DecryptInit rw UNKNOWN aes
C_DecryptInit rw null aes
C_DecryptInit rw CBC-no-iv aes
C_DecryptInit rw CBC-short-iv aes
C_DecryptInit closed AES_ECB aes
C_Decrypt rw block all

user: C_EncryptInit rw AES_ECB aes
C_EncryptInit rw AES_ECB aes
C_DecryptInit rw AES_ECB aes
C_Decrypt rw block all
C_Encrypt rw null all
C_Encrypt rw block all

user: C_Encrypt rw block all
C_EncryptUpdate rw block all
C_EncryptFinal rw all
C_Decrypt rw block all
C_DecryptUpdate rw block all
C_DecryptFinal rw all
C_Encrypt closed block all
C_Decrypt closed block all
"""

KEYS = """
user: C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public g-private -> one other
C_GetAttributeValue rw one a-common
C_GetAttributeValue rw other a-common
C_GetAttributeValue rw other a-flags
C_GetAttributeValue rw other a-history
C_GetAttributeValue rw other a-value
C_GetAttributeValue rw other a-generated-by
C_GetAttributeValue rw other a-params
C_SignInit rw ECDSA other
C_Sign rw digest all
C_VerifyInit rw ECDSA one
C_Verify rw digest $signature

user: C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-token g-private-token
C_GenerateKeyPair ro EC_KEY_PAIR_GEN g-public g-private
C_GenerateKeyPair ro EC_KEY_PAIR_GEN g-public-token g-private
C_GenerateKeyPair ro EC_KEY_PAIR_GEN g-public g-private-token
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-class g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-no-params g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-bad-params g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-unknown-curve g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-point g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-wrong-class g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-wrong-type g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public g-private-wrong-class
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public g-private-value
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public g-private-open
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public g-private-public
C_GenerateKeyPair rw UNKNOWN g-public g-private
C_GenerateKeyPair rw ECDSA g-public g-private
C_GenerateKeyPair rw null g-public g-private
C_GenerateKeyPair rw PAIR-parameter g-public g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN null g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public null
C_GenerateKeyPair closed EC_KEY_PAIR_GEN g-public g-private

public: C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public g-private
C_GenerateKeyPair rw EC_KEY_PAIR_GEN g-public-token g-private-token
C_GenerateKey rw AES_KEY_GEN g-16

user: C_GenerateKey rw AES_KEY_GEN g-16 -> key
C_GetAttributeValue rw key a-common
C_GetAttributeValue rw key a-flags
C_GetAttributeValue rw key a-history
C_GetAttributeValue rw key a-value
C_GetAttributeValue rw key a-length
C_GetAttributeValue rw key a-generated-by
C_GenerateKey rw AES_KEY_GEN g-17
C_GenerateKey rw AES_KEY_GEN g-0
C_GenerateKey rw AES_KEY_GEN g-no-length
C_GenerateKey rw AES_KEY_GEN g-value
C_GenerateKey rw AES_KEY_GEN g-16-class
C_GenerateKey rw AES_KEY_GEN g-16-wrong-class
C_GenerateKey rw AES_KEY_GEN g-16-wrong-type
C_GenerateKey rw AES_KEY_GEN g-16-token
C_GenerateKey ro AES_KEY_GEN g-16-token
C_GenerateKey rw UNKNOWN g-16
C_GenerateKey rw ECDSA g-16
C_GenerateKey rw null g-16
C_GenerateKey rw AES_KEY_GEN null
C_GenerateKey closed AES_KEY_GEN g-16
C_GenerateKey rw GENERIC_SECRET_KEY_GEN g-17
C_GenerateKey rw GENERIC_SECRET_KEY_GEN g-0
C_GenerateKey rw GENERIC_SECRET_KEY_GEN g-no-length

user: C_DeriveKey rw ECDH deriving d-32 -> key
C_GetAttributeValue rw key a-common
C_GetAttributeValue rw key a-key
C_GetAttributeValue rw key a-flags
C_GetAttributeValue rw key a-value
C_DeriveKey rw ECDH-wrapped deriving d-32
C_DeriveKey rw ECDH deriving d-16
C_DeriveKey rw ECDH deriving d-33
C_DeriveKey rw ECDH deriving d-aes
C_DeriveKey rw ECDH deriving d-aes-17
C_DeriveKey rw ECDH deriving d-wrong-class
C_DeriveKey rw ECDH deriving d-wrong-type
C_DeriveKey rw ECDH deriving d-no-class
C_DeriveKey rw ECDH deriving d-no-type
C_DeriveKey rw ECDH deriving null

user: C_DeriveKey rw ECDH private d-32
C_DeriveKey rw ECDH public d-32
C_DeriveKey rw ECDH aes d-32
C_DeriveKey rw ECDH data d-32
C_DeriveKey rw ECDH 0 d-32
C_DeriveKey rw ECDH-no-parameter deriving d-32
C_DeriveKey rw ECDH-bytes deriving d-32
C_DeriveKey rw ECDH-kdf deriving d-32
C_DeriveKey rw ECDH-shared deriving d-32
C_DeriveKey rw ECDH-no-point deriving d-32
C_DeriveKey rw ECDH-off-curve deriving d-32
C_DeriveKey rw UNKNOWN deriving d-32
C_DeriveKey rw ECDSA deriving d-32
C_DeriveKey rw null deriving d-32
C_DeriveKey closed ECDH deriving d-32

user: C_GenerateRandom rw 8
C_GenerateRandom rw 1000
C_GenerateRandom ro 1
C_GenerateRandom closed 8
C_SeedRandom rw text
C_SeedRandom ro text
C_SeedRandom rw null
C_SeedRandom closed text

user: C_GenerateRandom rw 0
"""

SCRIPTS = CIPHER + KEYS
