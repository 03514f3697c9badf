# SPDX-License-Identifier: MIT
"""A device as cloud services want it: one topic up, one down, TLS with the token's key, reconnecting.

Copy mqtt.py to the board, set what is below, and run it through a tunnel:

    mpremote connect PORT cp examples/mqtt.py :
    p11board tunnel localhost:8883 --run examples/iot_device.py

It publishes its state as JSON to DEVICE/state, obeys {"led": ...} and {"stop": true} on DEVICE/commands, and
comes back with growing pauses when broker, network or tunnel go away. What a mistake of the set-up is
(certificate, PIN) ends it at once: no pause repairs that.
"""

import json
import time

from mqtt import Client, MqttError

from pkcs11 import P11Error, tls, tunnel
from pkcs11.tls_errors import TLSError

DEVICE = "board-1"
SERVER_NAME = "localhost"  # in the server's certificate
CERTIFICATE = "Device Cert"  # labels of the token's objects
KEY = "Device Priv TLS Key"
AUTHORITY = "Root Certificate"
FIRST_PAUSE = 1  # seconds; doubled up to
LONGEST_PAUSE = 60

try:
    from device_settings import *  # noqa: F403  what of the above is different on this board
except ImportError:
    pass


def pin():
    """The user PIN. In the application's image: readable for whoever has the flash (docs/TLS.md)."""
    return bytearray(b"0000")


class Device:
    """What the device does: a state that commands change."""

    def __init__(self):
        self.state = {"led": 0, "connections": 0}
        self.stopped = False

    def obey(self, payload):
        """Carry out a command, JSON; what is none is ignored."""
        try:
            command = json.loads(payload)
        except ValueError:
            return
        if isinstance(command, dict):
            self.state["led"] = command.get("led", self.state["led"])
            self.stopped = bool(command.get("stop"))

    def serve(self, client):
        """One connection, until it breaks or the device is told to stop."""
        client.subscribe(DEVICE + "/commands")
        self.state["connections"] += 1
        while not self.stopped:
            client.publish(DEVICE + "/state", json.dumps(self.state).encode(), qos=1)
            self.obey(client.wait()[1])
        client.close()


def main():
    """Run for ever, or until told to stop."""
    device = Device()
    context = link = None
    pause = FIRST_PAUSE
    while not device.stopped:
        try:
            sock = tunnel.connect()
            tunnel.set_clock(sock.time)  # the board has no clock of its own
            if context is None:
                context = tls.context(cert=CERTIFICATE, key=KEY, ca=AUTHORITY, pin=pin)
            link = context.connect(sock, SERVER_NAME)
            print("connected:", *link.cipher())
            pause = FIRST_PAUSE
            device.serve(Client(link, DEVICE))
        except (MqttError, TLSError, OSError) as error:
            if (
                getattr(error, "alert", None) is not None
                or getattr(error, "args", (0,))[0] == -0x2700
            ):
                raise  # a certificate is wrong, here or there
            print("again in %d s: %s" % (pause, error))
            if link:
                link.close()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        except P11Error as error:
            print("the token refused: %s" % error)
            raise
    context.close()
    print("stopped, state", json.dumps(device.state))


main()
