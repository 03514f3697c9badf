# SPDX-License-Identifier: MIT
"""`p11board demo`: the whole story on the emulated board, in five numbered steps.

Every sentence printed as done was checked first; a check that fails ends the demo with a
Problem.  The demo never replaces a key it finds: a second run shows the same identity, unless
the flash is started fresh.
"""

import hashlib
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import csr, emulator, key_files, keys, report
from p11board.board import (
    CODE_VERIFY,
    DEVICE_CERTIFICATE,
    DEVICE_PRIVATE,
    DEVICE_PUBLIC,
    JITP_CERTIFICATE,
    ROOT_CERTIFICATE,
    Board,
)
from p11board.demo_ca import DemoCA
from p11board.errors import Problem
from p11board.flashing import load_application
from p11board.output import Stopwatch
from p11board.transport import Link

# The five objects anyone may read, as (label, class).
READABLE = (
    (DEVICE_CERTIFICATE, keys.CERTIFICATE),
    (DEVICE_PUBLIC, keys.PUBLIC_KEY),
    (ROOT_CERTIFICATE, keys.CERTIFICATE),
    (CODE_VERIFY, keys.PUBLIC_KEY),
    (JITP_CERTIFICATE, keys.CERTIFICATE),
)

STEPS = (
    "What the board is",
    "A key made on the board, and its certificate",
    "Signatures, both ways",
    "A power cut and another firmware",
    "How to go on",
)


def run(session, fresh=False, first=None, second=None, loader=None):
    """Run the demo. Raises Problem where something is not as it should be."""
    first = load_application(first or built_default("firmware.p11a"))
    second = load_application(second or built_default("firmware-next.p11a"))
    Demo(session, first, second, loader).run(fresh)


def built_default(name):
    """Path of a build product, or a Problem that says how to get it."""
    path = emulator.built(name)
    if path is None:
        raise Problem(f"no {name} here", "run the demo in a checkout, or name the images")
    return path


class Demo:
    """One run: the emulated board, two applications, and what the steps hand on."""

    def __init__(self, session, first, second, loader):
        self.output = session.output
        self.read_pin = session.read_pin
        self.emulator = session.emulator
        self.first = first
        self.second = second
        self.loader = loader
        self.ca = None
        self.watch = Stopwatch()

    def run(self, fresh):
        """All five steps."""
        self.title(0)
        self.prepare(fresh)
        with self.board() as board:
            self.show(board)
            self.done()
            self.title(1)
            self.provision(board)
            self.done()
            self.title(2)
            self.use(board)
            self.done()
            self.title(3)
            before = self.readable(board)
        self.survive(before)
        self.done()
        self.title(4)
        self.summary()

    # -- how it is told --------------------------------------------------------------------

    def title(self, index):
        """The heading of a step."""
        self.output.say(f"{index + 1}. {STEPS[index]}", style="bold")

    def tell(self, text):
        """One thing done and checked, or found out."""
        self.output.say(f"   {text}")

    def done(self):
        """The end of a step, with its time."""
        self.output.say(f"   ({self.watch.lap():.1f} s)", style="dim")
        self.output.say()

    @contextmanager
    def board(self):
        """A connection to the running board."""
        with Link(self.emulator.port) as link:
            yield Board(link, self.read_pin)

    # -- the steps -------------------------------------------------------------------------

    def prepare(self, fresh):
        """Board off, flash there, first application in it, board on."""
        self.emulator.stop()
        with self.output.busy("Preparing the flash image"):
            self.emulator.create_flash(fresh)
        self.ca = DemoCA(self.emulator.state / "demo-ca")
        self.program(self.first)
        self.power_on()

    def program(self, application):
        """Program an application with a progress bar; returns the sectors rewritten."""
        total = len(application.data)
        with self.output.progress(f"Programming {application.version}", total) as advance:
            changed, _ = self.emulator.program(application.data, advance)
        return changed

    def power_on(self):
        """Boot and wait for the REPL."""
        with self.output.busy("Booting"):
            self.emulator.start(self.loader)

    def show(self, board):
        """Step 1."""
        facts = board.info()
        lines = report.info_lines(facts)
        width = max(len(name) for name, _ in lines)
        for name, value in lines:
            self.tell(f"{name:<{width}}  {value}")
        self.tell(f"{'serial line':<{width}}  {self.emulator.port}")

    def provision(self, board):
        """Step 2."""
        found = {(o["label"], o["class"]) for o in board.objects()}
        if (DEVICE_PRIVATE, keys.PRIVATE_KEY) in found:
            self.tell("the board has a key pair from an earlier demo: kept")
        else:
            with self.output.busy("The board generates a key pair"):
                board.keygen()
            self.tell("the board generated a P-256 key pair; the private key never leaves it")
        point = board.read(DEVICE_PUBLIC, keys.PUBLIC_KEY)["value"]
        identifier = keys.key_identifier(point)
        self.tell(f"public key {point.hex()[2:18]}…, id {identifier.hex()[:16]}…")
        self.certify(board, point, found)
        code_key = keys.point(self.ca.code_key.public_key())
        self.keep(board, found, ROOT_CERTIFICATE, keys.certificate_item(self.ca.root))
        self.keep(board, found, JITP_CERTIFICATE, keys.certificate_item(self.ca.jitp))
        code_item = keys.Item(keys.PUBLIC_KEY, code_key, "the code-signing key", "P-256", code_key)
        self.keep(board, found, CODE_VERIFY, code_item)

    def certify(self, board, point, found):
        """Have the device's public key certified, unless the board has its certificate."""
        serial = board.info()["token"].get("serial") or "1"
        name = csr.parse_subject(f"CN=board-{serial},O=micropython-pkcs11 demo")
        token_key = csr.TokenKey(keys.public_key(point), board.sign)
        with self.output.busy("The board signs its certificate request"):
            request = csr.build(token_key, name)
        self.tell("certificate request made here, signed by the board: the signature is good")
        if (DEVICE_CERTIFICATE, keys.CERTIFICATE) in found:
            held = board.read(DEVICE_CERTIFICATE, keys.CERTIFICATE)["value"]
            if key_files.decode(held, DEVICE_CERTIFICATE).point == point:
                self.tell(f"{DEVICE_CERTIFICATE!r} is for this key: kept")
                return
        certificate = keys.certificate_item(self.ca.issue(request))
        board.import_item(certificate, DEVICE_CERTIFICATE, keys.key_identifier(point), True)
        self.tell(f"signed by the demo CA and stored as {DEVICE_CERTIFICATE!r}")

    def keep(self, board, found, label, item):
        """Store an object, unless the board holds exactly this one already."""
        held = (label, item.kind) in found
        if held and board.read(label, item.kind)["value"] == item.value:
            self.tell(f"{label!r} is there: kept")
            return
        board.import_item(item, label, keys.key_identifier(item.point), held)
        self.tell(f"stored {item.description} as {label!r}")

    def use(self, board):
        """Step 3."""
        public = keys.public_key(board.read(DEVICE_PUBLIC, keys.PUBLIC_KEY)["value"])
        self.challenge(board, public)
        self.tell("the board signed a fresh challenge; the host verified it")
        update = b"an update image " + os.urandom(16)
        digest = hashlib.sha256(update).digest()
        signature = csr.raw_signature(self.ca.code_key.sign(update, ec.ECDSA(hashes.SHA256())))
        expect(board.verify(digest, signature, CODE_VERIFY), "the board refuses a good signature")
        self.tell("the host signed an update; the board verified it with the code-verify key")
        tampered = hashlib.sha256(update + b"!").digest()
        refused = not board.verify(tampered, signature, CODE_VERIFY)
        expect(refused, "the board accepts a signature over other data")
        self.tell("the same update with one byte more: the board rejected it")

    def challenge(self, board, public):
        """Have a fresh challenge signed on the board and verify it here."""
        challenge = os.urandom(32)
        with self.output.busy("The board signs a challenge"):
            signature = board.sign(hashlib.sha256(challenge).digest())
        try:
            der = csr.der_signature(signature)
            public.verify(der, challenge, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Problem("the board's signature over the challenge is wrong") from None

    def readable(self, board):
        """The five readable objects, byte for byte."""
        return {label: board.read(label, kind)["value"] for label, kind in READABLE}

    def survive(self, before):
        """Step 4."""
        self.emulator.stop()
        raw = self.emulator.key_region_hash()
        self.power_on()
        with self.board() as board:
            version = board.info()["firmware"]
            expect(self.readable(board) == before, "objects changed over a power cycle")
        self.tell(f"power off and on: firmware {version}, all five readable objects as before")
        self.emulator.stop()
        expect(self.emulator.key_region_hash() == raw, "the key region changed over a power cycle")
        changed = self.program(self.second)
        after = self.emulator.key_region_hash()
        expect(after == raw, "programming the application touched the keys")
        kilobytes = len(self.second.data) // 1024
        self.tell(f"programmed version {self.second.version} ({kilobytes} KiB, {changed} sectors)")
        self.tell(f"key region before  SHA-256 {raw[:40]}…")
        self.tell(f"key region after   SHA-256 {after[:40]}…")
        self.power_on()
        with self.board() as board:
            version = board.info()["firmware"]
            expect(version == self.second.version, "the board does not run the new firmware")
            expect(self.readable(board) == before, "objects changed with the new firmware")
            self.tell(f"booted firmware {version}: the five objects are there, byte for byte")
            self.challenge(board, keys.public_key(before[DEVICE_PUBLIC]))
        self.tell("the key signed a new challenge under the new firmware; the host verified it")

    def summary(self):
        """Step 5."""
        run = own_name()
        commands = (
            (f"{run} repl", "Python on the board; leave with Ctrl-]"),
            (f"{run} objects", "what the token holds"),
            (f"{run} sign README.md -o sig", "sign a file with the board's key"),
            (f"{run} verify README.md sig", "verify it on the board"),
            (f"{run} csr --subject CN=me", "a request for your own CA"),
            (f"{run} import --help", "your own certificates and keys"),
            (f"{run} --board PORT info", "the same with your own board"),
            (f"{run} emulate stop", "off; the flash keeps everything"),
        )
        width = max(len(command) for command, _ in commands)
        for command, what in commands:
            self.tell(f"{command:<{width}}  {what}")
        self.output.say()
        self.tell(f"The board stays on, at {self.emulator.port}.")
        self.tell(f"Its flash is {os.path.relpath(self.emulator.flash)}.")
        seconds = self.watch.total()
        self.output.say(f"   Everything worked, in {seconds:.1f} s.", style="bold green")


def own_name():
    """How the user calls this program: by its name if it is on the PATH, else by its path."""
    if shutil.which("p11board"):
        return "p11board"
    return os.path.relpath(Path(sys.executable).parent / "p11board")


def expect(condition, otherwise):
    """A check of the demo."""
    if not condition:
        raise Problem(
            f"the demo failed: {otherwise}", "please report it, with the output of p11board info"
        )
