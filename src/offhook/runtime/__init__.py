"""Where calls meet clocks, sockets and providers."""
