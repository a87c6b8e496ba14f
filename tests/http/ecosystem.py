"""What others have built on twisted.web, imported without the warnings that are theirs."""

from warnings import catch_warnings, simplefilter

with catch_warnings():
    simplefilter("ignore", DeprecationWarning)  # twisted.web.static earns one of its own package's
    from flask import Flask, abort, redirect, request, session
    from klein import Klein
    from twisted.web.static import Data, File

__all__ = ["Data", "File", "Flask", "Klein", "abort", "redirect", "request", "session"]
