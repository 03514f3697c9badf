# SPDX-License-Identifier: MIT
"""A board as the host sees it: one method per command of the firmware's `pkcs11.hostlink`.

Requests and answers are JSON, one line each, binary values as hex strings; this module turns
them into Python values and refusals into TokenError.  It keeps no state but the link and the
PIN, and never retries: a wrong PIN costs one attempt, once.
"""

import json

from p11board.errors import TokenError, TransportProblem, UsageProblem
from p11board.keys import PRIVATE_KEY

# Labels of the FreeRTOS porting guide; any other label works as well.
DEVICE_PRIVATE = "Device Priv TLS Key"
DEVICE_PUBLIC = "Device Pub TLS Key"
DEVICE_CERTIFICATE = "Device Cert"
ROOT_CERTIFICATE = "Root Cert"
CODE_VERIFY = "Code Verify Key"
JITP_CERTIFICATE = "JITP Cert"
CLAIM_KEY = "Claim Key"
CLAIM_CERTIFICATE = "Claim Cert"

DEFAULT_PIN = b"0000"  # of a token nobody has given a PIN yet; the token says so itself

RANDOM_ROOM = 1024  # bytes asked for in one request
DIGEST_ROOM = 4096  # bytes sent in one request
LINE_ROOM = 16000  # bytes of a request; the board's buffer is a little larger


def public_label(private_label):
    """Label of the public half: the guide's pair has two names, any other pair one."""
    return DEVICE_PUBLIC if private_label == DEVICE_PRIVATE else private_label


class Board:
    """The token behind an open Link. `pin` is a callable that returns the PIN as bytes."""

    def __init__(self, link, pin=None):
        self.link = link
        self._ask_pin = pin
        self._pin = None
        self._facts = None

    # -- requests --------------------------------------------------------------------------

    def request(self, cmd, login=False, **fields):
        """One exchange with pkcs11.hostlink. Fields that are None are left out."""
        body = {"cmd": cmd}
        for name, value in fields.items():
            if isinstance(value, (bytes, bytearray)):
                value = value.hex()
            if value is not None and value is not False:
                body[name] = value
        if login:
            body["pin"] = self.pin().decode("utf-8")
        line = json.dumps(body).encode()
        if len(line) > LINE_ROOM:
            raise UsageProblem(
                f"too much for one request ({len(line)} of {LINE_ROOM} bytes)",
                "objects of about 8000 bytes are the most this link carries",
            )
        answer = parse_answer(self.link.ask(line))
        if "error" in answer:
            raise _refusal(answer, body)
        return answer

    def pin(self):
        """The user PIN: the default while the token says it is still in force, else asked for."""
        if self._pin is None:
            facts = self.info()
            if not facts["token"]:
                raise _refusal(facts["store"], {})
            wait = facts["token"]["pins"]["user"]["wait_seconds"]
            if wait:
                raise TokenError(
                    "CKR_FUNCTION_FAILED", 6, f"a wrong PIN was given: try again in {wait} s"
                )
            if facts["token"]["default_mode"]:
                self._pin = DEFAULT_PIN
            elif self._ask_pin is None:
                raise TokenError("CKR_USER_NOT_LOGGED_IN", 0x101)
            else:
                self._pin = self._ask_pin()
        return self._pin

    def ask_pin_with(self, pin):
        """Ask this callable for the user PIN from now on."""
        self._ask_pin = pin
        self._pin = None

    def info(self):
        """Facts of board, token, entropy, flash and store; read once per connection."""
        if self._facts is None:
            self._facts = self.request("info")
        return self._facts

    def forget(self):
        """Ask the board again for its facts and, if need be, the user for the PIN."""
        self._facts = self._pin = None

    # -- token and PINs --------------------------------------------------------------------

    def init_token(self, label, so_pin, new_pin, old_pin=None):
        """C_InitToken, then C_InitPIN: destroys everything in the token.

        PINs are bytes; old_pin proves the right to it on a token in default mode.
        """
        self.request(
            "init",
            label=label,
            so_pin=so_pin.decode("utf-8"),
            new_pin=new_pin.decode("utf-8"),
            pin=None if old_pin is None else old_pin.decode("utf-8"),
        )
        self.forget()

    def init_pin(self, so_pin, new_pin):
        """C_InitPIN: the security officer gives the user a PIN; objects stay."""
        self.request("init_pin", so_pin=so_pin.decode("utf-8"), new_pin=new_pin.decode("utf-8"))
        self.forget()

    def seed(self, value):
        """Give a board without entropy source its 64 bytes. Returns the seed's generation."""
        return self.request("seed", value=value)["generation"]

    # -- objects ---------------------------------------------------------------------------

    def objects(self, private=True):
        """List of dicts: handle, class, label, id (hex), key_type, private, …"""
        return self.request("objects", login=private)["objects"]

    def find(self, label, kind=None):
        """The objects with this label (and class), private ones included."""
        return [o for o in self.objects() if o["label"] == label and kind in (None, o["class"])]

    def keygen(self, label=DEVICE_PRIVATE, public=None, key_id=None, replace=False):
        """Generate a P-256 pair on the board. Returns a dict with id, point, handles."""
        return self.request(
            "keygen",
            login=True,
            label=label,
            public_label=public or public_label(label),
            id=key_id,
            curve="P-256",
            replace=replace,
        )

    def import_item(self, item, label, key_id=None, replace=False):
        """Store a decoded file (keys.Item) under a label. Returns its handle."""
        fields = dict(item.extra)
        if item.curve:
            fields["curve"] = item.curve
        return self.request(
            "import",
            login=True,
            **{"class": item.kind},
            label=label,
            value=item.value,
            id=key_id,
            replace=replace,
            **fields,
        )["handle"]

    def read(self, label, kind=None):
        """A readable object: dict with class, label, id and value (bytes).

        A private key is looked for after login only, to be refused for the right reason.
        """
        login = kind == PRIVATE_KEY
        answer = self.request("read", login=login, label=label, **{"class": kind})
        answer["value"] = bytes.fromhex(answer["value"])
        return answer

    def destroy(self, label, kind=None):
        """Destroy the objects with this label (and class). Returns how many."""
        return self.request("destroy", login=True, label=label, **{"class": kind})["destroyed"]

    def switch(self, moves):
        """Move objects to other labels, over what is there: all in one transaction.

        moves: list of (class, label now, label wanted).
        """
        return self.request("switch", login=True, moves=[list(move) for move in moves])

    def factory_reset(self, yes=False):
        """Destroy everything in the token; without `yes`, only say what would go.

        Returns a dict: done, recognised, objects (how many, None where that is not known).
        """
        answer = self.request("factory_reset", yes=yes)
        self.forget()
        return answer

    # -- operations ------------------------------------------------------------------------

    def sign(self, digest, label=DEVICE_PRIVATE):
        """Signature of a digest (32 bytes) by the key on the board: r || s, or 256 bytes of RSA."""
        answer = self.request("sign", login=True, label=label, digest=digest)
        return bytes.fromhex(answer["signature"])

    def verify(self, digest, signature, label=DEVICE_PUBLIC):
        """True if the board finds the signature (r || s, or of RSA) over the digest good."""
        answer = self.request("verify", label=label, digest=digest, signature=signature)
        return answer["valid"]

    def random(self, length, progress=None):
        """`length` bytes from the board's generator."""
        value = b""
        while len(value) < length:
            room = min(RANDOM_ROOM, length - len(value))
            value += bytes.fromhex(self.request("random", length=room)["value"])
            if progress:
                progress(len(value))
        return value

    def digest(self, data):
        """SHA-256 of `data` (bytes), computed on the board."""
        return bytes.fromhex(self.request("digest", value=data)["value"])


def _refusal(answer, request):
    """The TokenError for an error answer, with a next step in terms of this program."""
    error, hint = answer["error"], answer.get("hint", "")
    if error.endswith("exists"):
        error = f"{error} ({request['label']!r})"
        hint = "say --replace to put the new one in its place; the old one is then lost"
    elif error == "CKR_OBJECT_HANDLE_INVALID" and "label" in request:
        kind = request.get("class", "object")
        hint = f"no {kind} has the label {request['label']!r}; see `p11board objects`"
    return TokenError(error, answer.get("code"), hint)


def parse_answer(text):
    """The JSON object in the last line of an answer; anything else is a TransportProblem."""
    lines = text.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        got = lines[-1][:80] if lines else "nothing"
        raise TransportProblem(
            f"the board's answer makes no sense ({got!r})",
            "is another program writing to the board? Reset it and try again",
        )
    return answer
