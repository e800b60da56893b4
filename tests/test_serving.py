"""Labs that start at the same moment: each has a port, and keeps it from the moment it has found it."""

import socket

import pytest

from snnlab.cli.serving import Server


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # tornado's, where a port is taken
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_labs_that_ask_for_one_port_at_once_have_two() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        wanted = free.getsockname()[1]
    labs = [Server(port=wanted, ip="127.0.0.1") for _ in range(8)]
    try:
        for lab in labs:  # Jupyter's own looks for all, and only then takes them
            lab._find_http_port()
        assert len({lab.port for lab in labs}) == len(labs)
        for lab in labs:
            socket.create_connection(("127.0.0.1", lab.port), timeout=60).close()
    finally:
        for lab in labs:
            for taken in lab.held:
                taken.close()
