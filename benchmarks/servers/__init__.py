"""The smallest servers on other people's frameworks; each is a program that gets a port."""
