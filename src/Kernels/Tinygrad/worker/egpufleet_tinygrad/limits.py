"""Every bound of this package, each with its reason. The ones of the protocol equal those of the C# side."""

HEADER_BYTES = 256 * 1024
"""A header holds parameters and figures, never a prompt."""

BODY_BYTES = 8 * 1024 * 1024
"""A prompt of two million token ids; no context is that long."""

REQUESTS = 2048
"""Requests in work at once; past the waiting ones of a model a client is out of its mind."""

WAITING_GENERATIONS = 1024
"""Generates waiting for a slot of one model; the scheduler queues far earlier."""

MODELS = 16
"""Loaded models of one worker; memory is the real bound."""

SLOTS = 64
"""Sequences decoded at once."""

VERB_CHARACTERS = 40
"""The longest verb has eight."""

NAME_CHARACTERS = 128
"""A model is named by a content hash of 64 characters."""

PATH_BYTES = 4096
"""PATH_MAX of the supported systems or more."""

STOP_TOKENS = 256
"""End-of-text ids of a vocabulary: real ones have up to a dozen."""

TOP_LOG_PROBS = 20
"""As in the OpenAI API; the header of a token's frame holds them."""

HIGHEST_TEMPERATURE = 2.0
"""As in every client library."""

CHUNK_TOKENS = (64, 8)
"""Tokens of a prompt computed at once, largest first: each size is one captured graph, so there are two."""

RECURRENT_CHUNK_TOKENS = (8,)
"""The same for models with recurrent layers: their graph unrolls the chunk token by token."""

METADATA_PAIRS = 4096
"""Published models have 20 to 80."""

TENSORS = 65_536
"""The largest published mixtures of experts have about 2,500."""

KEY_BYTES = 1024
"""The longest key in use has about 60."""

TENSOR_NAME_BYTES = 63
"""ggml keeps 64 with the terminator."""

DIMENSIONS = 4
"""ggml's own bound."""

STRING_BYTES = 1 << 20
"""Chat templates reach 30 KB, licence texts 60 KB."""

ARRAY_STRING_BYTES = 64 << 10
"""The longest vocabulary entries have a few hundred."""

ARRAY_ITEMS = 4 << 20
"""The largest vocabularies have 262,144 tokens and twice as many merges."""

KEPT_ARRAY_ITEMS = 4096
"""Numeric arrays of the metadata kept in memory: one item per layer."""

GGUF_HEADER_BYTES = 256 << 20
"""From the start of the file to the tensor data: the largest vocabularies take about 20 MB."""

ALIGNMENT_BYTES = 1 << 16
"""Files use 32; page and huge-page layouts stay below this."""

LAYERS = 4096
"""The deepest published models have about 130."""

WIDTH = 1 << 20
"""Any width of a layer: ten times the widest published."""

CONTEXT = 100_000_000
"""Ten times the longest published."""

CLOSE_SECONDS = 2.5
"""Closing a GPU properly takes a second or two; a hung one is never closed, and must not stay locked."""

TUNINGS = 4096
"""Tuned kernels known at once: a model has about 80, and a worker some models."""

OPTS = 12
"""Optimisations of one kernel; a search ends after four or five."""

OPTS_CHARACTERS = 256
"""The longest line of them that a search writes has about 120."""

UNROLLED = 256
"""Copies of a kernel's body that upcasting and unrolling may make; tinygrad's own bound."""

SEARCHED_UNROLLED = 64
"""The same in a search: each doubling doubles the compilation of a candidate, and requests wait for its end."""

SHARED = 1024
"""Threads of a workgroup."""

TRIAL_BYTES = 1 << 30
"""Buffers of one kernel while it is searched; the output layer of the largest usual models takes 0.7 GiB."""

THREADS = 4096
"""Of a processor; the largest machines have a few hundred."""

ROW_TOKENS = 1 << 17
"""Positions of a training row: beyond it, attention over whole rows fits no device."""

ROWS_PER_PASS = 4096
"""Rows computed at once; more are accumulated."""

PASS_TOKENS = 1 << 20
"""Positions computed at once."""

BATCH_ROWS = 1 << 16
"""Rows of a batch; the frame's body bounds their tokens."""

LOSS_BYTES = 32 << 20
"""Logits held at once: the positions of a pass are taken through the output matrix piece by piece."""

LOSS_TOKENS = 256
"""Positions of such a piece at most."""

ADAPTER_RANK = 512
"""As of the fleet's API."""

ADAPTER_ALPHA = 65536.0
"""As of the fleet's API; usual ones are one to four times the rank."""

CLIP_NORM = 1e9
"""More is not clipped at all."""

STATE_HEADER_BYTES = 16 << 20
"""Names and shapes of a state's tensors: three of about 100 bytes for each trained one."""

STATE_TENSORS = 1 << 17
"""Moments included: seven targets of two matrices in the deepest model, three times."""

KERNELS_PER_SEARCH = 128
"""A model has about 80; so many findings fit into the header of one answer."""

TUNE_SECONDS = 3600
"""One search: a device is not away for longer."""

TUNING_CLASS_CHARACTERS = 120
"""Such as `AMD gfx1100 AMDLLVMRenderer`; the longest in use has about 50."""
