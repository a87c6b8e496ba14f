"""Which TCP ports of a host are open, closed or filtered, by connecting to them."""
