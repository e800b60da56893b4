"""A notebook server on a port of its own: a class that starts thirty labs at once has thirty."""

import errno
import socket

from jupyter_server.serverapp import ServerApp, random_ports
from tornado.netutil import bind_sockets


class Server(ServerApp):
    """A server that keeps the port it has found: Jupyter's own lets go of it, and takes it again some time later."""

    held: list[socket.socket]

    def _find_http_port(self) -> None:
        """Take the port that is asked for, or a free one near it."""
        for port in (*random_ports(self.port, self.port_retries + 1), 0):
            try:
                self.held = bind_sockets(port, self.ip)
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                continue
            self.port = self.held[0].getsockname()[1]
            return

    def _bind_http_server_tcp(self) -> bool:
        self.http_server.add_sockets(self.held)
        return True
