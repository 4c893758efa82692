"""`python -m tests.benchmarks.bad_keys RATE`: floods of keys that are none, at a fixed rate.

Each line of its input is a port and a number of seconds; each line of its output says what became of that flood, as JSON. It
sends over bare sockets what it has made before, since it shares the machine with the server that it floods.
"""

import json
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain

from tenants.keys import new_key

CONNECTIONS = 8
_REQUEST = (
    "GET /api/v1/problems/not_found HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: Bearer {}\r\n\r\n"
)


def main() -> None:
    rate = float(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        port, seconds = line.split()
        print(json.dumps(_flood(int(port), rate, float(seconds))), flush=True)


def _flood(port: int, rate: float, seconds: float) -> dict[str, object]:
    """Well-formed keys with a right checksum that no organisation has, each a new one."""
    share = int(rate * seconds / CONNECTIONS)
    requests = [[_REQUEST.format(new_key()[1]).encode() for _ in range(share)] for _ in range(CONNECTIONS)]
    started = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        starts = [started + number / rate for number in range(CONNECTIONS)]
        statuses = list(threads.map(partial(_send, port, CONNECTIONS / rate), starts, requests))
    took = time.monotonic() - started
    return {"sent": share * CONNECTIONS, "seconds": took, "answers": Counter(chain.from_iterable(statuses))}


def _send(port: int, step: float, start: float, requests: list[bytes]) -> list[str]:
    """The status of each request's answer; one request every `step` seconds, later ones at once when that is late."""
    statuses = []
    with socket.create_connection(("127.0.0.1", port), 30, ("127.0.0.2", 0)) as one:
        for number, request in enumerate(requests):
            time.sleep(max(0.0, start + number * step - time.monotonic()))
            one.sendall(request)
            statuses.append(_status(one))
    return statuses


def _status(one: socket.socket) -> str:
    """The status of one answer, read to its end."""
    answer = b""
    while not _is_whole(answer):
        more = one.recv(65536)
        if not more:
            raise ConnectionError("the server hung up")
        answer += more
    return answer[9:12].decode()


def _is_whole(answer: bytes) -> bool:
    head, gap, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    return bool(gap) and len(body) == int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


if __name__ == "__main__":
    main()
