"""Boards as data: one folder under `board/` each, read into a `Board`."""
