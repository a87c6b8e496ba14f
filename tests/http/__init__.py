"""Tests of HTTP: messages, pages, and the server under the handlers."""
