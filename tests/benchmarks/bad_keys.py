"""`python -m tests.benchmarks.bad_keys PORT RATE SECONDS`: a flood of keys that are none, at a fixed rate."""

import http.client
import sys
import threading
import time

from tenants.keys import new_key

THREADS = 8


def main() -> None:
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    sent = [0] * THREADS
    threads = [
        threading.Thread(target=_send, args=(port, rate / THREADS, seconds, number, sent))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(sent) / seconds)


def _send(port: int, rate: float, seconds: float, number: int, sent: list[int]) -> None:
    """Well-formed keys with a right checksum that no organisation has, each a new one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, source_address=("127.0.0.2", 0))
    started = time.monotonic()
    while (now := time.monotonic()) < started + seconds:
        pause = started + sent[number] / rate - now
        if pause > 0:
            time.sleep(pause)
        _, text = new_key()
        headers = {"Host": "acme.localhost", "Authorization": f"Bearer {text}"}
        connection.request("GET", "/api/v1/problems/not_found", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (401, 429), answer.status
        sent[number] += 1


if __name__ == "__main__":
    main()
