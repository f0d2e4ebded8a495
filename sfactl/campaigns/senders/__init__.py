"""Senders that write messages as files. They import only `sfactl.api`, like any plugin."""
