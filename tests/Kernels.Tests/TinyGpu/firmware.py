"""Files in place of Nvidia's firmware for Blackwell cards: the shape that tinygrad reads, and no content.

Nothing runs them: what a card does when it has got them is the scenario's to say. They are no firmware, so their checksums
are not those that tinygrad expects; `accept` lets it take these files, and no others, for what their names say.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from types import SimpleNamespace

_SECTION_PROGRAM, _SECTION_STRINGS = 1, 3
_HEADER_BYTES, _SECTION_BYTES = 64, 64


class _Expected(str):
    """Equal to every checksum."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def _elf(sections: dict[str, int]) -> bytes:
    """A 64-bit ELF file with sections of zeros, by name and size."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    body, headers = b"", [bytes(_SECTION_BYTES)]
    for name, kind, content in (
        *((name, _SECTION_PROGRAM, bytes(size)) for name, size in sections.items()),
        (".shstrtab", _SECTION_STRINGS, names),
    ):
        at = _HEADER_BYTES + len(body)
        where = names.index(b"\0" + name.encode() + b"\0") + 1
        headers.append(struct.pack("<IIQQQQIIQQ", where, kind, 0, 0, at, len(content), 0, 0, 1, 0))
        body += content
    header = struct.pack(
        "<4sBBBBQHHIQQQIHHHHHH",
        *(b"\x7fELF", 2, 1, 1, 0, 0, 1, 0, 1, 0, 0, _HEADER_BYTES + len(body), 0, _HEADER_BYTES, 0, 0),
        *(_SECTION_BYTES, len(headers), len(headers) - 1),
    )
    return header + body + b"".join(headers)


def _files() -> dict[str, bytes]:
    boot_header, boot_data = 24, 24 + 84
    return {
        "fmc-570.144.bin": _elf({"image": 0x1000, "hash": 48, "signature": 384, "publickey": 381}),
        "gsp-570.144.bin": _elf({".fwimage": 0x2000, ".fwsignature_gb20x": 0x1000}),
        "bootloader-570.144.bin": struct.pack("<IIIIII", 0x10DE, 1, 0x1000, boot_header, boot_data, 0x800) + bytes(0x900),
    }


def accept(downloads: Path) -> None:
    """Puts the files where tinygrad keeps its downloads."""
    from tinygrad import helpers

    folder = downloads / "fw"
    folder.mkdir(parents=True, exist_ok=True)
    known = _files()
    for name, content in known.items():
        (folder / name).write_bytes(content)

    def sha256(content: bytes) -> SimpleNamespace:
        real = hashlib.sha256(content).hexdigest()
        return SimpleNamespace(hexdigest=lambda: _Expected(real) if content in known.values() else real)

    def md5(address: bytes) -> SimpleNamespace:
        # Downloads are kept under the checksum of their address; these under the last part of it.
        name = address.decode().rsplit("/", 1)[-1]
        return SimpleNamespace(hexdigest=lambda: name if name in known else hashlib.md5(address).hexdigest())

    helpers.hashlib = SimpleNamespace(sha256=sha256, md5=md5)  # type: ignore[assignment]
