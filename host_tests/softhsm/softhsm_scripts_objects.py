# SPDX-License-Identifier: MIT
"""The scripts of softhsm_scripts continued: objects, attributes, searches."""

OBJECTS = """
user: C_CreateObject rw t-private
C_CreateObject rw t-public
C_CreateObject rw t-aes
C_CreateObject rw t-hmac
C_CreateObject rw t-certificate
C_CreateObject rw t-data
C_CreateObject rw t-token-private
C_CreateObject rw t-token-public
C_CreateObject rw t-token-certificate
C_CreateObject rw t-token-data
C_CreateObject ro t-data
C_CreateObject ro t-private
C_CreateObject ro t-token-data
C_CreateObject ro t-token-private
C_CreateObject closed t-data
C_CreateObject 0 t-data

user: C_CreateObject rw null
C_CreateObject rw t-empty
C_CreateObject rw t-class-only
C_CreateObject rw t-no-class
C_CreateObject rw t-bad-class
C_CreateObject rw t-short-class
C_CreateObject rw t-data-unknown
C_CreateObject rw t-data-twice
C_CreateObject rw t-data-both
C_CreateObject rw t-data-key
C_CreateObject rw t-data-modifiable
C_CreateObject rw t-data-long-bool
C_CreateObject rw t-data-null-label
C_CreateObject rw t-data-empty-value

user: C_CreateObject rw t-private-no-type
C_CreateObject rw t-private-no-params
C_CreateObject rw t-private-no-value
C_CreateObject rw t-private-zero
C_CreateObject rw t-private-public
C_CreateObject rw t-private-open
C_CreateObject rw t-private-verify
C_CreateObject rw t-private-local
C_CreateObject rw t-private-extractable
C_CreateObject rw t-private-bad-params
C_CreateObject rw t-unknown-key-type
C_CreateObject rw t-public-no-point
C_CreateObject rw t-public-no-params
C_CreateObject rw t-public-bare-point
C_CreateObject rw t-public-short-point
C_CreateObject rw t-public-off-curve
C_CreateObject rw t-public-sign

user: C_CreateObject rw t-aes-17
C_CreateObject rw t-aes-empty
C_CreateObject rw t-aes-no-value
C_CreateObject rw t-aes-length
C_CreateObject rw t-aes-public
C_CreateObject rw t-aes-trusted
C_CreateObject rw t-certificate-no-type
C_CreateObject rw t-certificate-no-value
C_CreateObject rw t-certificate-no-subject
C_CreateObject rw t-certificate-junk
C_CreateObject rw t-certificate-trusted
C_CreateObject rw t-certificate-x509-attr

public: C_CreateObject rw t-data
C_CreateObject rw t-certificate
C_CreateObject rw t-public
C_CreateObject rw t-private
C_CreateObject rw t-aes
C_CreateObject rw t-private-data
C_CreateObject rw t-token-data
C_CreateObject rw t-token-private
C_CreateObject ro t-token-data
C_CreateObject ro t-data

so: C_CreateObject rw t-data
C_CreateObject rw t-token-data
C_CreateObject rw t-private
C_CreateObject rw t-token-private
C_CreateObject rw t-certificate-trusted

user: C_DestroyObject rw data
C_DestroyObject rw data
C_DestroyObject ro certificate
C_DestroyObject ro token-data
C_DestroyObject rw token-data
C_DestroyObject rw 0
C_DestroyObject closed private
C_DestroyObject rw permanent-data
C_DestroyObject rw2 private

public: C_DestroyObject rw token-data
C_DestroyObject rw token-private
C_DestroyObject ro token-public

user: C_GetObjectSize rw data
C_GetObjectSize rw 0
C_GetObjectSize closed data
C_GetObjectSize ro private

user: C_CopyObject rw data t-empty -> copy
C_GetAttributeValue rw copy a-common
C_CopyObject rw data c-label -> named
C_GetAttributeValue rw named a-label
C_CopyObject rw data c-token
C_CopyObject ro data c-token
C_CopyObject ro token-data c-session
C_CopyObject ro token-data t-empty
C_CopyObject rw data c-class
C_CopyObject rw data c-value
C_CopyObject rw data c-unknown
C_CopyObject rw data c-private -> hidden
C_GetAttributeValue rw hidden a-common
C_CopyObject rw hidden c-public
C_CopyObject rw uncopyable-data t-empty
C_CopyObject rw 0 t-empty
C_CopyObject closed data t-empty
C_CopyObject rw data null

user: C_CopyObject rw private t-empty -> copy
C_GetAttributeValue rw copy a-flags
C_GetAttributeValue rw copy a-value
C_CopyObject rw private c-open
C_CopyObject rw private c-extractable
C_CopyObject rw readable-aes c-sensitive -> closed-copy
C_GetAttributeValue rw readable-aes a-value
C_GetAttributeValue rw closed-copy a-value

public: C_CopyObject rw token-data c-session
C_CopyObject rw token-data t-empty
C_CopyObject rw token-private c-session
"""

ATTRIBUTES = """
user: C_GetAttributeValue rw data a-common
C_GetAttributeValue rw data a-copyable
C_GetAttributeValue rw data a-value
C_GetAttributeValue rw data a-application
C_GetAttributeValue rw data a-unknown
C_GetAttributeValue rw data a-mixed
C_GetAttributeValue rw data a-modulus
C_GetAttributeValue rw data a-flags
C_GetAttributeValue rw data a-size
C_GetAttributeValue rw data a-value-size
C_GetAttributeValue rw data a-short
C_GetAttributeValue rw data a-short-bool
C_GetAttributeValue rw data a-short-both
C_GetAttributeValue rw data a-empty
C_GetAttributeValue rw data null
C_GetAttributeValue rw 0 a-class
C_GetAttributeValue closed data a-class
C_GetAttributeValue ro data a-class

user: C_GetAttributeValue rw private a-common
C_GetAttributeValue rw private a-key
C_GetAttributeValue rw private a-flags
C_GetAttributeValue rw private a-history
C_GetAttributeValue rw private a-decrypt
C_GetAttributeValue rw private a-params
C_GetAttributeValue rw private a-point
C_GetAttributeValue rw private a-value
C_GetAttributeValue rw private a-value-size
C_GetAttributeValue rw private a-value-label
C_GetAttributeValue rw private a-verify
C_GetAttributeValue rw private a-modulus
C_GetAttributeValue rw private a-generated-by

user: C_GetAttributeValue rw default-private a-flags
C_GetAttributeValue rw default-private a-decrypt
C_GetAttributeValue rw default-public a-verify

user: C_GetAttributeValue rw public a-common
C_GetAttributeValue rw public a-key
C_GetAttributeValue rw public a-verify
C_GetAttributeValue rw public a-params
C_GetAttributeValue rw public a-point
C_GetAttributeValue rw public a-flags
C_GetAttributeValue rw public a-value

user: C_GetAttributeValue rw aes a-common
C_GetAttributeValue rw aes a-key
C_GetAttributeValue rw aes a-flags
C_GetAttributeValue rw aes a-history
C_GetAttributeValue rw aes a-value
C_GetAttributeValue rw aes a-length
C_GetAttributeValue rw readable-aes a-value
C_GetAttributeValue rw certificate a-common
C_GetAttributeValue rw certificate a-certificate
C_GetAttributeValue rw certificate a-value
C_GetAttributeValue rw certificate a-flags

public: C_GetAttributeValue rw token-data a-common
C_GetAttributeValue rw token-private a-class
C_GetAttributeValue rw token-public a-point
C_GetAttributeValue ro token-certificate a-value

so: C_GetAttributeValue rw token-data a-common
C_GetAttributeValue rw token-private a-class

user: C_SetAttributeValue rw data c-label
C_GetAttributeValue rw data a-label
C_SetAttributeValue rw data c-class
C_SetAttributeValue rw data c-token
C_SetAttributeValue rw data c-private
C_SetAttributeValue rw data c-unknown
C_SetAttributeValue rw data c-label-class
C_SetAttributeValue rw data t-empty
C_SetAttributeValue rw data null
C_SetAttributeValue rw data c-modifiable
C_SetAttributeValue rw data c-sensitive
C_SetAttributeValue rw fixed-data c-label
C_SetAttributeValue rw 0 c-label
C_SetAttributeValue closed data c-label
C_SetAttributeValue ro token-data c-label
C_SetAttributeValue rw token-data c-label
C_SetAttributeValue ro data c-label

user: C_SetAttributeValue rw private c-label
C_SetAttributeValue rw private c-id
C_SetAttributeValue rw private c-open
C_SetAttributeValue rw private c-sensitive
C_SetAttributeValue rw private c-extractable
C_SetAttributeValue rw private c-locked
C_SetAttributeValue rw private c-value
C_SetAttributeValue rw private c-local
C_SetAttributeValue rw private c-key-type
C_SetAttributeValue rw private c-params
C_SetAttributeValue rw private c-date
C_SetAttributeValue rw private c-bad-date
C_SetAttributeValue rw private c-no-sign
C_SignInit rw ECDSA private
C_SetAttributeValue rw private c-uncopyable

user: C_GetAttributeValue rw readable-aes a-value
C_SetAttributeValue rw readable-aes c-sensitive
C_GetAttributeValue rw readable-aes a-value
C_SetAttributeValue rw readable-aes c-open
C_SetAttributeValue rw readable-aes c-locked
C_SetAttributeValue rw readable-aes c-extractable

public: C_SetAttributeValue rw token-data c-label
C_SetAttributeValue ro token-data c-label
C_SetAttributeValue rw token-private c-label
"""

SEARCH = """
user: C_FindObjectsInit rw t-empty
C_FindObjects rw 1
C_FindObjects rw 10
C_FindObjects rw 10
C_FindObjectsFinal rw
C_FindObjectsFinal rw
C_FindObjects rw 10

user: C_FindObjectsInit rw s-label
C_FindObjectsInit rw s-label
C_FindObjectsInit ro s-label
C_FindObjects rw 10
C_FindObjects ro 10
C_FindObjects rw2 10
C_FindObjectsFinal rw2
C_FindObjectsFinal rw
C_FindObjectsFinal ro
C_DestroyObject rw data
C_DestroyObject rw private
C_DestroyObject rw token-data

user: C_FindObjectsInit rw s-other-label
C_FindObjects rw 10
C_FindObjectsFinal rw
C_FindObjectsInit rw s-keys
C_FindObjects rw 10
C_FindObjectsFinal rw
C_FindObjectsInit rw s-token
C_FindObjects rw 10
C_FindObjectsFinal rw
C_FindObjectsInit rw s-unknown
C_FindObjects rw 10
C_FindObjectsFinal rw
C_FindObjectsInit rw s-id
C_FindObjects rw 10
C_FindObjectsFinal rw
C_FindObjectsInit rw s-two
C_FindObjects rw 10
C_FindObjectsFinal rw
C_FindObjectsInit rw s-value
C_FindObjects rw 10
C_FindObjectsFinal rw
C_GetObjectSize rw data
C_GetObjectSize rw private
C_GetObjectSize rw public
C_GetObjectSize rw token-private
C_GetObjectSize rw token-data

user: C_FindObjectsInit rw s-aes-value
C_FindObjects rw 10
C_FindObjectsFinal rw
C_GetObjectSize rw readable-aes

user: C_FindObjectsInit closed t-empty
C_FindObjectsInit 0 t-empty
C_FindObjects closed 10
C_FindObjectsFinal closed

user: C_FindObjectsInit rw t-empty
C_FindObjects rw 0
C_FindObjects rw 10

public: C_FindObjectsInit rw t-empty
C_FindObjects rw 20
C_FindObjectsFinal rw
C_FindObjectsInit rw s-keys
C_FindObjects rw 20
C_FindObjectsFinal rw
C_GetAttributeValue rw token-data a-class
C_GetObjectSize rw token-public
C_GetObjectSize rw token-private
C_SignInit rw ECDSA token-private
C_VerifyInit rw ECDSA token-public

so: C_FindObjectsInit rw t-empty
C_FindObjects rw 20
C_FindObjectsFinal rw
C_GetAttributeValue rw token-data a-class
C_GetObjectSize rw token-private
C_SignInit rw ECDSA token-private

user: C_FindObjectsInit rw s-label
C_DigestInit rw SHA256
C_FindObjects rw 10
C_FindObjectsFinal rw
C_DestroyObject rw data

user: C_DigestInit rw SHA256
C_FindObjectsInit rw s-label
"""

SCRIPTS = OBJECTS + ATTRIBUTES + SEARCH
