"""The Python child of the tinygrad engine: token ids in, token ids out, over framed stdio.

The C# worker tokenises, renders chat templates and finds stop strings; this package knows ids, tensors and the device.
"""

TINYGRAD_COMMIT = "a9069c177"
"""The commit of tinygrad this package is written for; its API moves with every release."""
