"""An origin that reads every body to its end, and says then how long it was."""

import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PIECE = 1 << 20


class Swallow(BaseHTTPRequestHandler):
    """Answers a PUT with the number of bytes it had."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Read the body, which has a length."""
        left = length = int(self.headers["Content-Length"])
        piece = bytearray(_PIECE)
        view = memoryview(piece)
        while left:
            got = self.rfile.readinto(view[: min(left, _PIECE)])
            if not got:
                return
            left -= got
        content = b"%d" % length
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Swallow).serve_forever()
