# SPDX-License-Identifier: MIT
"""PKCS#11 URIs (RFC 7512) of the token and its objects.

Promises: what is printed matches one token (manufacturer, model and serial never change, the label
only with C_InitToken), percent-encoded so that any shell and any configuration file takes it.
"""

from urllib.parse import quote

from p11board.rpc_bodies import CLASSES

UNRESERVED = "-._~"  # what RFC 7512 leaves alone besides letters and digits


def encode(value):
    """Percent-encode text or bytes."""
    return quote(value, safe=UNRESERVED)


def token_uri(facts):
    """The URI of a token. facts: rpc_bodies.TokenFacts."""
    fields = (
        ("model", facts.model),
        ("manufacturer", facts.manufacturer),
        ("serial", facts.serial),
        ("token", facts.label),
    )
    return "pkcs11:" + ";".join(f"{name}={encode(text)}" for name, text in fields if text)


def object_uri(facts, kind, label, key_id):
    """The URI of an object. kind: CKO_ number; label, key_id: bytes."""
    text = token_uri(facts)
    if key_id:
        text += ";id=" + "".join(f"%{byte:02X}" for byte in key_id)
    if label:
        text += ";object=" + encode(label)
    if kind in CLASSES:
        text += ";type=" + CLASSES[kind]
    return text


def uris(module, pin=None):
    """URIs of the token and of all objects in sight. module: rpc_bodies.Module."""
    module.initialize()
    facts = module.token()
    session = module.open()
    if pin is not None:
        module.login(session, pin)
    found = [token_uri(facts)]
    found += [object_uri(facts, *item) for item in module.objects(session)]
    module.finalize()
    return found
