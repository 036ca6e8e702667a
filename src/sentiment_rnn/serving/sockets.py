"""Listening sockets on the loopback address."""

import os
import socket

from sentiment_rnn.errors import UserError

HOST = "127.0.0.1"  # neither server has a login: docs/security.md


def bind_socket(port: int) -> socket.socket:
    """A listening socket that only this machine can connect to; port 0 is a free one.

    Raises:
        UserError: the port is in use, or reserved for the system.
    """
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise UserError(f"port {port} of {HOST} is not available ({reason}): choose another with --port") from None
    # inherited by the connections; asyncio sets it on sockets of its own only, and small responses would wait for 40 ms
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
