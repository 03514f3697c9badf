# SPDX-License-Identifier: MIT
"""The name under which programs look for TLS: everything of the built-in module tls."""

from tls import *  # noqa: F403


def wrap_socket(sock, server_side=False, server_hostname=None, cert_reqs=None, cadata=None):
    """Return sock encrypted (short form; certificates are required unless cert_reqs says less)."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)  # noqa: F405
    if cert_reqs is not None:
        context.verify_mode = cert_reqs
    if cadata is not None:
        context.load_verify_locations(cadata)
    return context.wrap_socket(sock, server_side=server_side, server_hostname=server_hostname)
