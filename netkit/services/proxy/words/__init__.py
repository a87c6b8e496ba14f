"""The words of the pages that go through the proxy: found, counted, and shown by a site."""
