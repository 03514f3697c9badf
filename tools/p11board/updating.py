# SPDX-License-Identifier: MIT
"""A verified update over the serial line: the board asks for the image piece by piece.

The program below runs on the board: pkcs11.codeverify reads the image from the line as a stream
and writes it into the slot that does not run. "> N" asks for the next N bytes, answered with a
line of base64 as long as N bytes need, blanks where there are no more; "= JSON" is the end. What
is refused on the board has changed nothing there.
"""

import base64
import json
import os

from p11board.errors import FileProblem, Problem, TransportProblem
from p11board.transport import Link

PIECE = 3072  # bytes of the image in one line
SILENCE = 60  # seconds; the longest is the erasure of a sector and the read-back of an image
BOOT_TRIES = 6  # connections, each with its own patience

PROGRAM = """
import json, sys
from binascii import a2b_base64
from pkcs11 import codeverify
class Line:
    room = bytearray(%(width)d)
    def readinto(self, buf):
        size = min(len(buf), %(piece)d)
        print("> %%d" %% size)
        line = memoryview(self.room)[: (size + 2) // 3 * 4 + 1]
        got = 0
        while got < len(line):
            got += sys.stdin.buffer.readinto(line[got:])
        data = a2b_base64(line)
        memoryview(buf)[: len(data)] = data
        return len(data)
from buildinfo import VERSION
answer = {"before": VERSION}
try:
    if sys.stdin.buffer.readline() == b"install\\n":
        import appslots
        codeverify.install(Line(), appslots.Slot())
    else:
        codeverify.verify(Line())
except Exception as error:
    answer["error"] = type(error).__name__
    answer["why"] = str(error)
print("= " + json.dumps(answer))
""" % {"piece": PIECE, "width": (PIECE + 2) // 3 * 4 + 1}

NEXT_STEPS = {
    "ManifestError": "sign the image with `p11board sign-image`",
    "NoKeyError": "store the signer's public key: p11board import --label 'Code Verify Key'",
    "WrongKeyError": "sign the image with the key whose public half is on the board",
    "SignatureError": "the image was tampered with, or damaged: fetch it again",
    "BoardError": "sign the image for this board (--for)",
    "OldVersionError": "an image this old is not taken any more: sign a newer one",
    "VersionLeapError": "is the security version a mistake?",
    "TruncatedError": "the image is incomplete: fetch it again",
    "ImageError": "the image was tampered with, or damaged: fetch it again",
    "SlotError": "is it an image for this board? (`p11board info`)",
    "ImportError": "this board has no slots for updates: use `p11board flash`",
}


class Refused(Problem):
    """The board refuses an update; `kind` is the class of its error."""

    def __init__(self, kind, why):
        super().__init__(f"the board refuses the update ({kind}): {why}", NEXT_STEPS.get(kind, ""))
        self.kind = kind

    def as_dict(self):
        """The message for `--json` output."""
        return {**super().as_dict(), "kind": self.kind}


class Feeder:
    """Answers what the board's program asks for. `answer` is its last word."""

    def __init__(self, data, send, progress):
        self.data = data
        self.send = send
        self.progress = progress
        self.at = 0
        self.seen = b""
        self.answer = None

    def __call__(self, received):
        """Take bytes from the board."""
        self.seen += received
        while b"\n" in self.seen:
            line, self.seen = self.seen.split(b"\n", 1)
            if line.startswith(b"> "):
                self._feed(line[2:])
            elif line.startswith(b"= "):
                self.answer = _parsed(line[2:])

    def _feed(self, asked):
        try:
            size = max(0, min(int(asked), PIECE))
        except ValueError:
            raise TransportProblem("the board's request makes no sense", "try it again") from None
        piece = self.data[self.at : self.at + size]
        self.at += len(piece)
        self.send(base64.b64encode(piece).ljust((size + 2) // 3 * 4) + b"\n")
        self.progress(self.at)


def _parsed(text):
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("before"), str):
        raise TransportProblem("the board's answer makes no sense", "try it again")
    return answer


def update(port, data, progress, dry_run=False):
    """Have the board at `port` verify and install a signed image, and restart it.

    data: manifest and image; progress(done): bytes sent; dry_run: verify only.
    Returns {"before", "version", "dry_run"}. Raises Refused, TransportProblem.
    """
    with Link(port) as link:
        feeder = Feeder(data, link.transport.serial.write, progress)
        link.follow(PROGRAM, b"verify" if dry_run else b"install", feeder, SILENCE)
        answer = feeder.answer
        if answer is None:
            raise TransportProblem("the board did not say how the update ended", "try it again")
        if "error" in answer:
            raise Refused(answer["error"], answer.get("why", ""))
        if not dry_run:
            link.transport.exec_raw_no_follow("import machine\nmachine.reset()")
    version = answer["before"] if dry_run else running_version(port)
    return {"before": answer["before"], "version": version, "dry_run": dry_run}


def running_version(port):
    """The version of the firmware that runs, once the board has booted."""
    for tries in range(BOOT_TRIES, 0, -1):
        try:
            with Link(port) as link:
                return link.execute("from buildinfo import VERSION\nprint(VERSION)")[0].strip()
        except TransportProblem:
            if tries == 1:
                raise


def write_file(path, data):
    """Write a file that is there whole or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {error.strerror}") from None
