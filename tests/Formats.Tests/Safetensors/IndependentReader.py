"""Reads a file of safetensors by the format's description alone, and prints it as one line of JSON."""
import json
import struct
import sys

with open(sys.argv[1], "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))
    data = file.read()

metadata = header.pop("__metadata__", {})
tensors = {}
for name, entry in header.items():
    start, end = entry["data_offsets"]
    assert entry["dtype"] == "F32", entry["dtype"]
    values = struct.unpack(f"<{(end - start) // 4}f", data[start:end])
    tensors[name] = {"shape": entry["shape"], "values": values}

assert (8 + length) % 8 == 0
print(json.dumps({"metadata": metadata, "tensors": tensors}))
