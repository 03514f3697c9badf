# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Where our token answers otherwise than SoftHSM2 2.6, and the paragraph that allows or asks it.

A row covers the calls whose text "state: call" matches its pattern (softhsm_scripts has the words;
softhsm_compare the tags after the state) and whose two codes are the row's; `None` stands
for any code of ours. With equal codes the results differ. A row that covers nothing any more fails
the test, and so does a difference without a row.

Sections are those of PKCS#11 v2.40: a number alone is of the base specification, "Mech" of the
current mechanisms.
"""

from collections import namedtuple

from pkcs11.const import *

Difference = namedtuple("Difference", "calls ours theirs section why")
WRAPPED_KEY_LEN_RANGE = 0x112

BAD_KEY = "says that a handle of something that is not a key, or of nothing, is KEY_HANDLE_INVALID"
WRONG_KEY = "KEY_TYPE_INCONSISTENT is for a key that is not of the type the mechanism needs"
ENDS = "a call that fails other than with BUFFER_TOO_SMALL ends the operation"
ORDER = "a session error comes before those of 5.1.6, so a bad session wins over a NULL pointer"
MAC = "a public session may not write: every record has a MAC under a key that a login opens"
CREATE = "an attribute value that the token cannot take fails with ATTRIBUTE_VALUE_INVALID"
NEVER = "a template that the token can never satisfy is inconsistent: its keys stay secret"
CLASS = "a class or key type other than the mechanism's is TEMPLATE_INCONSISTENT"
OPTIONAL = "a token need not offer every function; this one wraps no keys and digests none"
PARAMETER = "a parameter that is missing, wrong or not asked for is MECHANISM_PARAM_INVALID"
SEARCH = "only a search excludes a search; it is no cryptographic operation"
EITHER = "two codes of 5.1.6 apply and none has precedence"

DIFFERENCES = (
    # general
    ("*: C_GetFunctionStatus closed", CKR_FUNCTION_NOT_PARALLEL, CKR_SESSION_HANDLE_INVALID)
    + ("5.16 C_GetFunctionStatus", "a legacy function that simply returns FUNCTION_NOT_PARALLEL"),
    ("*: C_CancelFunction closed", CKR_FUNCTION_NOT_PARALLEL, CKR_SESSION_HANDLE_INVALID)
    + ("5.16 C_CancelFunction", "a legacy function that simply returns FUNCTION_NOT_PARALLEL"),
    ("*: C_DigestKey *", CKR_FUNCTION_NOT_SUPPORTED, CKR_OPERATION_NOT_INITIALIZED)
    + ("5.1.6 CKR_FUNCTION_NOT_SUPPORTED", OPTIONAL),
    ("*: C_WrapKey *", CKR_FUNCTION_NOT_SUPPORTED, CKR_OK)
    + ("5.1.6 CKR_FUNCTION_NOT_SUPPORTED", OPTIONAL),
    ("*: C_UnwrapKey *", CKR_FUNCTION_NOT_SUPPORTED, WRAPPED_KEY_LEN_RANGE)
    + ("5.1.6 CKR_FUNCTION_NOT_SUPPORTED", OPTIONAL),
    # login
    ("*: C_Login * SO *", CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_SESSION_READ_ONLY_EXISTS)
    + ("5.1.7", EITHER),
    ("*: C_Logout *", CKR_USER_NOT_LOGGED_IN, CKR_OK)
    + ("5.6 C_Logout", "lists USER_NOT_LOGGED_IN: there is nobody to log out"),
    # objects
    ("*: C_CreateObject * t-short-class", CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE)
    + ("4.1.1", CREATE),
    ("*: C_CreateObject * t-data-both", CKR_TEMPLATE_INCONSISTENT, CKR_OK)
    + ("4.1.1", "two values for one attribute are the text's example of an inconsistent template"),
    ("*: C_CreateObject * t-private-zero", CKR_ATTRIBUTE_VALUE_INVALID, CKR_OK)
    + ("4.1.1", CREATE + "; 0 is no private key of any curve"),
    ("*: C_CreateObject * t-p*-point", CKR_ATTRIBUTE_VALUE_INVALID, CKR_OK)
    + ("Mech 2.3.3", "CKA_EC_POINT is the DER encoding of an ECPoint; bare or cut ones are none"),
    ("*: C_CreateObject * t-public-off-curve", CKR_ATTRIBUTE_VALUE_INVALID, CKR_OK)
    + ("Mech 2.3.3", "CKA_EC_POINT is a point of the curve in CKA_EC_PARAMS"),
    ("*: C_CreateObject * t-private-bad-params", CKR_CURVE_NOT_SUPPORTED, CKR_OK)
    + ("5.1.6 CKR_CURVE_NOT_SUPPORTED", "a curve that the token does not have"),
    ("*: C_CreateObject * t-aes-*", CKR_ATTRIBUTE_VALUE_INVALID, CKR_OK)
    + ("Mech 2.8.2", "CKA_VALUE of an AES key has 16, 24 or 32 bytes"),
    ("*: C_CreateObject * t-private-*", CKR_TEMPLATE_INCONSISTENT, CKR_OK) + ("4.1.1", NEVER),
    ("*: C_CreateObject * t-aes-public", CKR_TEMPLATE_INCONSISTENT, CKR_OK) + ("4.1.1", NEVER),
    ("*: C_CreateObject * t-certificate-junk", CKR_ATTRIBUTE_VALUE_INVALID, CKR_OK)
    + ("4.6.3", "CKA_VALUE of an X.509 certificate is its BER encoding"),
    ("*: C_CreateObject * t-certificate-no-subject", CKR_OK, CKR_TEMPLATE_INCOMPLETE)
    + ("4.1.1", "incomplete is what does not fully specify the object; the DER has the subject"),
    ("public*: C_CreateObject * t-token-*", CKR_USER_NOT_LOGGED_IN, CKR_OK)
    + ("5.1.6 CKR_USER_NOT_LOGGED_IN", MAC),
    ("public*: C_DestroyObject * token-*", CKR_USER_NOT_LOGGED_IN, CKR_OK)
    + ("5.1.6 CKR_USER_NOT_LOGGED_IN", MAC),
    ("public*: C_CopyObject * token-* *", CKR_USER_NOT_LOGGED_IN, CKR_OK)
    + ("5.1.6 CKR_USER_NOT_LOGGED_IN", MAC),
    ("public*: C_SetAttributeValue * token-* *", CKR_USER_NOT_LOGGED_IN, CKR_OK)
    + ("5.1.6 CKR_USER_NOT_LOGGED_IN", MAC),
    # attributes
    ("*: C_GetAttributeValue * a-empty", CKR_ARGUMENTS_BAD, CKR_OK)
    + ("5.1.6 CKR_ARGUMENTS_BAD", "a template of no attributes asks nothing (as corePKCS11 says)"),
    ("*: C_SetAttributeValue * t-empty", CKR_ARGUMENTS_BAD, CKR_OK)
    + ("5.1.6 CKR_ARGUMENTS_BAD", "a template of no attributes changes nothing"),
    ("*: C_GetAttributeValue * *private a-point", CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID)
    + (
        "5.7 C_GetAttributeValue",
        "our private keys have CKA_EC_POINT, so that one half is enough",
    ),
    ("*: C_GetAttributeValue * default-* *", CKR_OK, CKR_OK)
    + ("4.9, 4.8", "footnote 9: defaults of these attributes are the token's choice"),
    ("*: C_SetAttributeValue * c-sensitive", CKR_OK, CKR_ATTRIBUTE_READ_ONLY)
    + ("4.9", "footnote 11: TRUE cannot be changed, which TRUE again does not"),
    ("*: C_SetAttributeValue * c-locked", CKR_OK, CKR_ATTRIBUTE_READ_ONLY)
    + ("4.9", "footnote 12: FALSE cannot be changed, which FALSE again does not"),
    ("*: C_SetAttributeValue * c-uncopyable", CKR_OK, CKR_ATTRIBUTE_READ_ONLY)
    + ("4.4", "CKA_COPYABLE can be set to FALSE; only TRUE is impossible afterwards"),
    # searches
    ("*: C_FindObjects * 10", CKR_OK, CKR_OK)
    + ("4.9", "footnote 7: CKA_VALUE of a sensitive key is not revealed, also not by guessing"),
    ("*+search: C_FindObjects * 0", CKR_ARGUMENTS_BAD, CKR_OK)
    + ("5.1.6 CKR_ARGUMENTS_BAD", "no room for a handle; ends the search (as corePKCS11 does)"),
    ("*+search: C_FindObjects * 10", CKR_OPERATION_NOT_INITIALIZED, CKR_OK)
    + ("5.7 C_FindObjects", "the search ended with the bad argument before"),
    ("*+search: C_*Init *", None, CKR_OPERATION_ACTIVE) + ("5.7 C_FindObjectsInit", SEARCH),
    ("*: C_FindObjectsInit *", CKR_OK, CKR_OPERATION_ACTIVE) + ("5.7 C_FindObjectsInit", SEARCH),
    # keys of operations
    ("*: C_*Init *", CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID)
    + ("5.1.6 CKR_KEY_HANDLE_INVALID", BAD_KEY),
    ("*: C_*Init * *data", CKR_KEY_HANDLE_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED)
    + ("5.1.6 CKR_KEY_HANDLE_INVALID", BAD_KEY),
    ("*: C_*Init * *certificate", CKR_KEY_HANDLE_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED)
    + ("5.1.6 CKR_KEY_HANDLE_INVALID", BAD_KEY),
    ("*: C_*Init *", CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED)
    + ("5.1.6 CKR_KEY_TYPE_INCONSISTENT", WRONG_KEY + "; both codes apply"),
    ("*: C_*Init * ECDSA hmac", CKR_KEY_TYPE_INCONSISTENT, CKR_OK)
    + ("5.1.6 CKR_KEY_TYPE_INCONSISTENT", WRONG_KEY),
    ("*: C_*Init * RSA_PKCS *", CKR_KEY_TYPE_INCONSISTENT, CKR_OK)
    + ("5.1.6 CKR_KEY_TYPE_INCONSISTENT", WRONG_KEY),
    ("*: C_*Init * ECDSA rsa-*", CKR_KEY_TYPE_INCONSISTENT, CKR_OK)
    + ("5.1.6 CKR_KEY_TYPE_INCONSISTENT", WRONG_KEY),
    ("*: C_*Init * ECDSA *aes", CKR_KEY_TYPE_INCONSISTENT, CKR_OK)
    + ("5.1.6 CKR_KEY_TYPE_INCONSISTENT", WRONG_KEY),
    ("*: C_*Init * * mute-*", CKR_MECHANISM_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED)
    + ("5.1.7", EITHER),
    ("*: C_DeriveKey * * 0 *", CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID)
    + ("5.1.6 CKR_KEY_HANDLE_INVALID", BAD_KEY),
    ("*: C_DeriveKey * * data *", CKR_KEY_HANDLE_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED)
    + ("5.1.6 CKR_KEY_HANDLE_INVALID", BAD_KEY),
    ("*: C_DeriveKey *", CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED)
    + ("5.1.6 CKR_KEY_TYPE_INCONSISTENT", WRONG_KEY + "; both codes apply"),
    # mechanisms
    ("*: C_*Init * *-parameter*", CKR_MECHANISM_PARAM_INVALID, CKR_OK)
    + ("5.1.6 CKR_MECHANISM_PARAM_INVALID", PARAMETER),
    ("*: C_EncryptInit * ECB-iv *", CKR_MECHANISM_PARAM_INVALID, CKR_OK)
    + ("Mech 2.9.2", "AES-ECB does not have a parameter"),
    ("*: C_*cryptInit * CBC-no-iv *", CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD)
    + ("5.1.6 CKR_MECHANISM_PARAM_INVALID", PARAMETER),
    ("*: C_*cryptInit * CBC-short-iv *", CKR_MECHANISM_PARAM_INVALID, CKR_MECHANISM_INVALID)
    + ("Mech 2.9.5", "the parameter is an initialization vector of 16 bytes"),
    ("*: C_GenerateKeyPair * PAIR-parameter *", CKR_MECHANISM_PARAM_INVALID, CKR_OK)
    + ("Mech 2.3.5", "the EC key pair generation does not have a parameter"),
    ("*: C_*Init * ECDSA_SHA256 *", CKR_OK, CKR_MECHANISM_INVALID)
    + ("Mech 2.3.6", "ECDSA with hashing, which SoftHSM2 2.6 does not offer"),
    # the end of operations
    ("*+failed: C_Digest *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK) + ("5.10 C_Digest", ENDS),
    ("*+parts: C_Digest *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK)
    + ("5.10 C_Digest", "cannot end what C_DigestUpdate began"),
    ("*+failed: C_DigestFinal *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK)
    + ("5.10 C_DigestUpdate", "a C_DigestUpdate that fails ends the operation"),
    ("*+failed: C_Sign *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK) + ("5.11 C_Sign", ENDS),
    ("*+failed: C_SignFinal *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK)
    + ("5.11 C_SignUpdate", ENDS),
    ("*+failed: C_Verify *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK) + ("5.12 C_Verify", ENDS),
    ("*+failed: C_VerifyFinal *", CKR_OPERATION_NOT_INITIALIZED, CKR_SIGNATURE_INVALID)
    + ("5.12 C_VerifyUpdate", ENDS),
    ("*+failed: C_Encrypt *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK) + ("5.8 C_Encrypt", ENDS),
    ("*+out*: C_Sign *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK)
    + ("5.6 C_Logout", "operations may or may not stay active; ours end with their keys"),
    ("*+parts: C_Encrypt *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK)
    + ("5.8 C_Encrypt", "cannot end what C_EncryptUpdate began"),
    ("*+failed: C_EncryptFinal *", CKR_OPERATION_NOT_INITIALIZED, CKR_OK)
    + ("5.8 C_EncryptUpdate", ENDS),
    ("*+failed: C_*Init *", None, CKR_OPERATION_ACTIVE) + ("5.8 to 5.12", ENDS),
    # data
    ("*: C_Sign * block-246 *", CKR_DATA_LEN_RANGE, CKR_GENERAL_ERROR)
    + ("Mech 2.1.6", "the input of PKCS #1 v1.5 has at most k - 11 bytes"),
    ("*: C_Sign * ones-256 *", CKR_DATA_INVALID, CKR_GENERAL_ERROR)
    + ("5.1.6 CKR_DATA_INVALID", "a block that is no number below the modulus"),
    ("*: C_Sign * empty *", CKR_DATA_LEN_RANGE, CKR_OK)
    + ("5.1.6 CKR_DATA_LEN_RANGE", "an empty hash is refused, as a hash that was never made"),
    ("*: C_Verify * empty *", CKR_DATA_LEN_RANGE, CKR_SIGNATURE_INVALID)
    + ("5.1.6 CKR_DATA_LEN_RANGE", "can be returned in preference to SIGNATURE_INVALID"),
    ("*: C_Decrypt * block *", CKR_ENCRYPTED_DATA_INVALID, CKR_GENERAL_ERROR)
    + ("5.1.6 CKR_ENCRYPTED_DATA_INVALID", "the last block is no padding"),
    ("*: C_Decrypt * empty *", CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_GENERAL_ERROR)
    + ("5.1.6 CKR_ENCRYPTED_DATA_LEN_RANGE", "a padded text has at least one block"),
    ("*: C_GenerateRandom * 0", CKR_ARGUMENTS_BAD, CKR_OK)
    + ("5.1.6 CKR_ARGUMENTS_BAD", "nothing is asked for (as corePKCS11 says)"),
    # making keys
    ("*: C_GenerateKeyPair * g-public-bad-params *", CKR_DOMAIN_PARAMS_INVALID, CKR_GENERAL_ERROR)
    + ("5.1.6 CKR_DOMAIN_PARAMS_INVALID", "CKA_EC_PARAMS is no DER of a curve's name"),
    ("*: C_GenerateKeyPair * g-public-unknown-curve *", CKR_CURVE_NOT_SUPPORTED, CKR_OK)
    + ("5.1.6 CKR_CURVE_NOT_SUPPORTED", "a curve that the token does not have"),
    ("*: C_Generate* *-wrong-class*", CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID)
    + ("5.14 C_GenerateKey, C_GenerateKeyPair", CLASS),
    ("*: C_GenerateKeyPair * g-private-*", CKR_TEMPLATE_INCONSISTENT, CKR_OK) + ("4.1.1", NEVER),
    ("*: C_GenerateKey * g-0", CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE)
    + ("4.1.1", CREATE + "; the template has CKA_VALUE_LEN, so it is not incomplete"),
    ("*: C_DeriveKey * d-33", CKR_TEMPLATE_INCONSISTENT, CKR_FUNCTION_FAILED)
    + ("5.14 C_DeriveKey", "a template that cannot be satisfied: the secret has 32 bytes"),
    ("*: C_DeriveKey * d-wrong-class", CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID)
    + ("4.1.1", CLASS),
    ("*: C_DeriveKey * d-no-*", CKR_OK, CKR_TEMPLATE_INCOMPLETE)
    + ("4.1.1", "the mechanism makes a secret key, of generic type where nothing is said"),
    ("*: C_DeriveKey * ECDH-off-curve *", CKR_MECHANISM_PARAM_INVALID, CKR_GENERAL_ERROR)
    + ("5.1.6 CKR_MECHANISM_PARAM_INVALID", "the peer's point is in the parameter"),
    # the order of checks
    ("*: C_* *null*", CKR_SESSION_HANDLE_INVALID, CKR_ARGUMENTS_BAD) + ("5.1.7", ORDER),
    ("*: C_CopyObject * c-unknown", CKR_ATTRIBUTE_TYPE_INVALID, CKR_SESSION_READ_ONLY)
    + ("5.1.7", EITHER),
    ("*: C_CopyObject * c-class", CKR_ATTRIBUTE_READ_ONLY, CKR_SESSION_READ_ONLY)
    + ("5.1.7", EITHER),
    ("*: C_CreateObject * t-*-no-value", CKR_TEMPLATE_INCOMPLETE, CKR_USER_NOT_LOGGED_IN)
    + ("5.1.7", EITHER),
    ("*: C_CreateObject * t-private-verify", CKR_ATTRIBUTE_TYPE_INVALID, CKR_USER_NOT_LOGGED_IN)
    + ("5.1.7", EITHER),
    ("public*: C_SetAttributeValue *", CKR_USER_NOT_LOGGED_IN, CKR_ATTRIBUTE_TYPE_INVALID)
    + ("5.1.7", EITHER),
)
DIFFERENCES = tuple(Difference(*row) for row in DIFFERENCES)
