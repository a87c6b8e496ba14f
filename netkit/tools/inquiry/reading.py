"""An answer's bytes as text that may go to a terminal (RFC 1288 3.3).

Pure. Rule: of what a terminal could act on nothing is left but tabs and the ends of lines; the rest
stands as escapes, so that nothing is hidden either. RFC 1288 knows no character set: a line that is
UTF-8 is read so, and any other as ISO 8859-1.
"""

from netkit.document.values import printable


def text(answer: bytes) -> str:
    """Return the lines of `answer`, each with an LF behind it whatever it ended in."""
    lines = answer.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return "".join(f"{_line(each.rstrip(bytes((_CR,))))}\n" for each in lines)


_CR = 0x0D


def _line(data: bytes) -> str:
    try:
        read = data.decode()
    except UnicodeDecodeError:
        read = data.decode("latin-1")
    return "\t".join(map(printable, read.split("\t")))
