"""Servers that others wrote, each of which says in the end what it has been asked.

nginx and HAProxy are programs; llhttp and h11 are parsers, served here by threads. Each answers with
the target that it was asked for.
"""

import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import SkipTest

import h11
from attrs import define, field, frozen
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from tests.running import PATIENCE

_OK = "200"


@frozen
class Seen:
    """A request as an origin has understood it, answered."""

    line: str
    host: str
    body: str = ""


@define
class Origin:
    """A server: the port where it listens, what it was asked, and what it took for no request."""

    port: int
    seen: list[Seen] = field(factory=list)
    refused: list[str] = field(factory=list)

    def note(self, status: str, line: str, host: str, body: str) -> None:
        """Note a request that was answered with `status`."""
        if status == _OK:
            self.seen.append(Seen(line, host, body))
        else:
            self.refused.append(f"{status} {line}")


_NGINX = """\
daemon off;
worker_processes 1;
worker_shutdown_timeout 5s;
pid {folder}/nginx.pid;
events {{ worker_connections 1000; }}
http {{
    log_format seen escape=json
        '["$status", "$request", "$http_host", "$request_body"]';
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 128k;
    client_body_in_single_buffer on;
    keepalive_requests 100000;
    ignore_invalid_headers off;
    underscores_in_headers on;
    server {{
        listen 127.0.0.1:{port};
        access_log {folder}/seen.log seen;
        location / {{ proxy_pass http://127.0.0.1:{inner}; }}
    }}
    server {{
        listen 127.0.0.1:{inner};
        access_log off;
        location / {{ return 200 "$request_uri"; }}
    }}
}}
"""
_HAPROXY = """\
global
    log stdout len 65000 format raw local0
    hard-stop-after 5s
defaults
    mode http
    log global
    option dontlognull
    timeout connect 10s
    timeout client 10s
    timeout server 10s
frontend seen
    bind fd@{bound}
    option http-buffer-request
    declare capture request len 500
    declare capture request len 20000
    declare capture request len 20000
    http-request capture req.hdr(host) id 0
    http-request capture req.body,hex id 1
    declare capture request len 10
    http-request capture url id 2
    http-request capture req.ver id 3
    http-request return status 200 content-type text/plain lf-string %[pathq]
    log-format %ST\\t%HM\\ %[capture.req.hdr(2)]\\ HTTP/%[capture.req.hdr(3)]\\t%[capture.req.hdr(0)]\\t%[capture.req.hdr(1)]
"""


@contextmanager
def nginx() -> Iterator[Origin]:
    """Run nginx, which reads bodies whole; fill in what it has seen at the end of the block."""
    program = _program("nginx")
    with _folder() as folder, _bound() as outer, _bound() as inner:
        port, behind = (int(each.getsockname()[1]) for each in (outer, inner))
        config = folder / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, port=port, inner=behind))
        origin = Origin(port)
        sockets = (outer.fileno(), inner.fileno())
        with _running(
            (program, "-p", str(folder), "-c", str(config), "-e", "stderr"),
            sockets,
            signal.SIGQUIT,
            folder / "output",
            NGINX="".join(f"{each};" for each in sockets),
        ):
            yield origin
        for line in (folder / "seen.log").read_text().splitlines():
            origin.note(*json.loads(line))


@contextmanager
def haproxy() -> Iterator[Origin]:
    """Run HAProxy, which reads bodies whole; fill in what it has seen at the end of the block."""
    program = _program("haproxy")
    with _folder() as folder, _bound() as bound:
        config = folder / "haproxy.cfg"
        config.write_text(_HAPROXY.format(bound=bound.fileno()))
        origin = Origin(int(bound.getsockname()[1]))
        output = folder / "output"
        with _running(
            (program, "-db", "-f", str(config)), (bound.fileno(),), signal.SIGUSR1, output
        ):
            yield origin
        for line in output.read_text().splitlines():
            if line.count("\t") == 3:
                status, first, host, body = line.split("\t")
                said = "" if body == "-" else bytes.fromhex(body).decode("latin-1")
                origin.note(status, first, host, said)


def _program(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise SkipTest(f"{name} is not installed")
    return path


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _bound() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@contextmanager
def _running(
    command: tuple[str, ...],
    sockets: tuple[int, ...],
    leave: signal.Signals,
    output: Path,
    **environment: str,
) -> Iterator[None]:
    """Run a program that listens on sockets of ours; let it finish at the end of the block."""
    with output.open("wb") as written:
        process = subprocess.Popen(
            command,
            pass_fds=sockets,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
        process.send_signal(leave)
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


class _Server(socketserver.ThreadingTCPServer):
    """Serves each connection in a thread of its own; all end with the server."""

    daemon_threads = True

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._serve = serve

    def finish_request(self, request: Any, _: Any) -> None:
        """Serve a connection to its end."""
        request.settimeout(PATIENCE)
        with suppress(OSError):
            self._serve(request)


@contextmanager
def scripted(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Give each connection to `serve`, in a thread of its own; return the port."""
    with _Server(serve) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def llhttp() -> Iterator[Origin]:
    """Serve by llhttp, told to forgive whatever it can."""
    origin = Origin(0)

    def serve(connection: socket.socket) -> None:
        speaker = Llhttp(origin, connection.sendall)
        while (data := connection.recv(65536)) and speaker.receive(data):
            pass

    with scripted(serve) as origin.port:
        yield origin


@contextmanager
def by_h11() -> Iterator[Origin]:
    """Serve by h11."""
    origin = Origin(0)
    with scripted(lambda connection: _H11(origin, connection).serve()) as origin.port:
        yield origin


class Llhttp:
    """A connection whose requests llhttp parses; it calls the methods that begin with on_.

    What is answered is given to `send`.
    """

    def __init__(self, origin: Origin, send: Callable[[bytes], object]) -> None:
        self._origin = origin
        self._send = send
        self._parser = self._lenient()
        self.on_message_begin()

    def _lenient(self) -> HttpRequestParser:
        parser = HttpRequestParser(self)
        parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_transfer_encoding=True,
            lenient_version=True,
            lenient_data_after_close=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_cr_before_lf=True,
            lenient_optional_crlf_after_chunk=True,
            lenient_spaces_after_chunk_size=True,
        )
        return parser

    def receive(self, data: bytes) -> bool:
        """Answer what has come; return False where it is no HTTP."""
        try:
            self._feed(data)
        except HttpParserError as error:
            self._origin.refused.append(repr(error))
            return False
        return True

    def _feed(self, data: bytes) -> None:
        """Feed the parser; behind an offer to upgrade, which is declined, a new one goes on."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as offer:
            self._parser = self._lenient()
            self._feed(data[offer.args[0] :])

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._target = self._body = b""
        self._host: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        """Keep a part of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep Host."""
        if name.lower() == b"host":
            self._host.append(value)
        if name.lower() == b"expect":
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        method = self._parser.get_method()
        line = b"%b %b HTTP/%b" % (method, self._target, self._parser.get_http_version().encode())
        host = b", ".join(self._host)
        self._origin.note(_OK, _text(line), _text(host), _text(self._body))
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self._target)
        self._send(head + (b"" if method == b"HEAD" else self._target))


class _H11:
    """A connection whose requests h11 parses."""

    def __init__(self, origin: Origin, connection: socket.socket) -> None:
        self._origin = origin
        self._connection = connection
        self._http = h11.Connection(h11.SERVER)

    def serve(self) -> None:
        """Answer what comes, to the end."""
        try:
            while self._answers():
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            self._origin.refused.append(repr(error))

    def _answers(self) -> bool:
        """Answer a request; return whether there may be another."""
        request, body = None, b""
        while not isinstance(event := self._next(), h11.EndOfMessage | h11.ConnectionClosed):
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
        if request is None:
            return False
        host = b", ".join(value for name, value in request.headers if name == b"host")
        line = b"%b %b HTTP/%b" % (request.method, request.target, request.http_version)
        self._origin.note(_OK, _text(line), _text(host), _text(body))
        body = b"" if request.method == b"HEAD" else request.target
        length = str(len(request.target))
        answer = h11.Response(status_code=200, headers=[("Content-Length", length)])
        self._send(answer, h11.Data(data=body), h11.EndOfMessage())
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def _next(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(self._connection.recv(65536))
        return event

    def _send(self, *events: Any) -> None:
        self._connection.sendall(b"".join(self._http.send(event) or b"" for event in events))


def _text(data: bytes) -> str:
    return data.decode("latin-1")


ORIGINS = {"nginx": nginx, "haproxy": haproxy, "llhttp": llhttp, "h11": by_h11}
