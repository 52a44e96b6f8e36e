"""Reads the vocabulary of a SentencePiece-style GGUF: only the tests need texts."""

from __future__ import annotations

import struct
from pathlib import Path

_KEY = b"tokenizer.ggml.tokens"


def read_pieces(path: Path) -> list[str]:
    """Text of every id; byte pieces such as <0x0A> as the character they stand for."""
    data = path.read_bytes()
    at = data.index(_KEY) + len(_KEY) + 8
    (count,) = struct.unpack_from("<Q", data, at)
    at += 8
    pieces: list[str] = []
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", data, at)
        pieces.append(_text(data[at + 8 : at + 8 + length].decode("utf-8")))
        at += 8 + length
    return pieces


def _text(piece: str) -> str:
    return chr(int(piece[3:5], 16)) if len(piece) == 6 and piece.startswith("<0x") else piece
