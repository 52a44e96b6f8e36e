"""The framing: bounded, exact, and typed in its refusals."""

from __future__ import annotations

import io
import struct
import unittest

from egpufleet_tinygrad import limits
from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.frames import FrameWriter, encode_frame, parse_header, read_frame


class FrameTests(unittest.TestCase):
    def test_what_is_written_is_read(self) -> None:
        sink = io.BytesIO()
        writer = FrameWriter(sink)
        writer.write({"id": 1, "text": "día"}, b"\x01\x02")
        writer.write({"id": 2})
        source = io.BytesIO(sink.getvalue())
        first, second = read_frame(source), read_frame(source)
        assert first is not None and second is not None
        self.assertEqual(({"id": 1, "text": "día"}, b"\x01\x02"), (parse_header(first.header), first.body))
        self.assertEqual(({"id": 2}, b""), (parse_header(second.header), second.body))
        self.assertIsNone(read_frame(source))

    def test_the_bytes_are_those_of_the_other_side(self) -> None:
        self.assertEqual(b'\x08\0\0\0\x01\0\0\0{"id":1}!', encode_frame({"id": 1}, b"!"))

    def test_lengths_out_of_bounds_are_refused_before_they_are_read(self) -> None:
        for header, body in ((0, 0), (limits.HEADER_BYTES + 1, 0), (2, limits.BODY_BYTES + 1), (2**32 - 1, 2**32 - 1)):
            with self.subTest(header=header, body=body), self.assertRaises(EngineError) as caught:
                read_frame(io.BytesIO(struct.pack("<II", header, body) + b"{}"))
            self.assertEqual("protocol_violation", caught.exception.error_class)

    def test_an_end_inside_a_frame_is_told_from_an_end_between_two(self) -> None:
        whole = encode_frame({"id": 1}, b"body")
        for length in range(1, len(whole)):
            with self.subTest(length=length), self.assertRaises(EOFError):
                read_frame(io.BytesIO(whole[:length]))

    def test_a_header_that_is_no_object_is_refused(self) -> None:
        hostile = (b"", b"[1]", b"null", b"{", b'{"a":NaN}', b"\xff\xfe", b"[" * 60_000, b'{"a":' * 10_000)
        for header in hostile:
            with self.subTest(header=header[:20]), self.assertRaises(EngineError) as caught:
                parse_header(header)
            self.assertEqual("protocol_violation", caught.exception.error_class)


if __name__ == "__main__":
    unittest.main()
