# SPDX-License-Identifier: MIT
"""Why a TLS connection failed, as one sentence that says what to look at.

`explain(error, alert)` turns what MicroPython's module tls raises, a number or mbedTLS's remark about
a certificate, into TLSError. Tables: alerts of RFC 8446 §6.2, error numbers of mbedTLS 3.6.
"""

from time import gmtime

_ALERTS = {
    10: "it met an unexpected message",
    20: "a record was changed on its way",
    40: "no common ground (handshake_failure): its cipher suites, curves or client certificate",
    42: "our certificate is bad",
    43: "our kind of certificate is not supported",
    44: "our certificate is revoked",
    45: "our certificate has expired",
    46: "our certificate is not acceptable (certificate_unknown)",
    48: "it does not know the CA of our certificate",
    49: "access denied",
    51: "our signature is wrong: is the certificate for this key?",
    70: "no common TLS version",
    71: "it wants stronger cipher suites",
    80: "internal error there",
    112: "it has no such server name",
    116: "it wants a client certificate",
}

# A word of mbedTLS's remark, and ours.
_REMARKS = (
    ("has expired", "the server's certificate has expired at the board's time, %s"),
    ("in the future", "the server's certificate is not valid yet at the board's time, %s"),
    ("Common Name", "the server's certificate is for another name than server_hostname"),
    ("not correctly signed", "the server's certificate is not from the CA given as ca="),
    ("revoked", "the server's certificate is revoked"),
)

_NUMBERS = {
    -0x7280: "the other side hung up",
    -0x7880: "the other side closed the connection",
    -0x6E80: "no common cipher suite or version",
    -0x7180: "a record was changed on its way",
    -0x7300: "a message that cannot be decoded",
    -0x2700: "the server's certificate does not verify",
    -0x7F00: "not enough memory for a connection (37 KB)",
    104: "the connection was broken",
    110: "the other side is silent",
    12: "not enough memory for a connection (37 KB)",
}

_FATAL_ALERT = -0x7780
_FIRST_YEAR = 2024  # a clock before this was never set


class TLSError(OSError):
    """A failed connection. args: (number, text); number is that of mbedTLS (negative), of the
    stream (positive), or 0. alert: number of the alert the other side sent, or None."""

    def __init__(self, number, text, alert=None):
        super().__init__(number, text)
        self.text = text
        self.alert = alert

    def __str__(self):
        return self.text


def clock():
    """Return the board's date and time as text."""
    return "%04d-%02d-%02d %02d:%02d UTC" % gmtime()[:5]


def explain(error, alert=-1, stream=None):
    """Return a TLSError for an OSError or ValueError of module tls.

    alert: of the other side, -1 for none. stream: its `reason`, if it has one, is the better text.
    """
    if isinstance(error, ValueError):
        remark = str(error)
        for word, text in _REMARKS:
            if word in remark:
                return TLSError(-0x2700, _dated(text))
        return TLSError(0, remark.strip())
    number = error.args[0] if error.args else 0
    if -256 < number < 0:  # of the stream, met while reading
        number = -number
    if number == _FATAL_ALERT or alert >= 0:
        text = _ALERTS.get(alert, "alert %d" % alert)
        return TLSError(number, "the other side refused: " + text, alert)
    reason = getattr(stream, "reason", None)
    text = _NUMBERS.get(number) or "TLS failed"
    if number < 0 or not reason:
        text += " (%s)" % (error.args[1] if len(error.args) > 1 else hex(number))
    if reason:
        text += ": " + reason
    return TLSError(number, text)


def _dated(text):
    if "%s" not in text:
        return text
    text = text % clock()
    if gmtime()[0] < _FIRST_YEAR:
        text += "; the clock was never set (docs/TLS.md)"
    return text
