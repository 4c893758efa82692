"""Small servers on loopback that stand for the network in tests: HTTP that answers as told, DNS that holds TXT records."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Reply = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class Asked:
    """A request that a server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class HttpServer:
    """`answers` gets each request; `asked` keeps them all."""

    port: int
    answers: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def http_server(answers: Callable[[Asked], Reply]) -> Iterator[HttpServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            names = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, names, self.rfile.read(length))
            running.asked.append(asked)
            status, headers, body = running.answers(asked)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = HttpServer(server.server_address[1], answers)
    with _served(lambda: server.serve_forever(poll_interval=0.02), server.shutdown):
        yield running
    server.server_close()


@contextmanager
def drip_server(piece: bytes, every_seconds: float) -> Iterator[int]:
    """The port of a server that sends `piece` again and again, and never ends."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)

    def serve() -> None:
        while not stop.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            with peer:
                while not stop.wait(every_seconds):
                    try:
                        peer.sendall(piece)
                    except OSError:
                        break

    with _served(serve, stop.set):
        yield listener.getsockname()[1]
    listener.close()


@contextmanager
def txt_server(records: dict[str, list[str]], *, rcode: int = dns.rcode.NOERROR) -> Iterator[str]:
    """`127.0.0.1:port` of a name server for the TXT records given; a name without any does not exist."""
    stop = threading.Event()
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(0.1)

    def serve() -> None:
        while not stop.is_set():
            try:
                wire, peer = listener.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(wire)
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.RA
            name = query.question[0].name
            texts = records.get(name.to_text(omit_final_dot=True).lower())
            if rcode != dns.rcode.NOERROR or texts is None:
                reply.set_rcode(dns.rcode.Rcode(rcode or dns.rcode.NXDOMAIN))
            elif query.question[0].rdtype == dns.rdatatype.TXT:
                quoted = [f'"{text}"' for text in texts]
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
            listener.sendto(reply.to_wire(), peer)

    with _served(serve, stop.set):
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


@contextmanager
def _served(serve: Callable[[], None], stop: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(timeout=5)
