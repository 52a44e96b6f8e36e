"""The worker's two threads: one reads the protocol, one owns the device.

The reader answers stats at once, while the device thread may be inside a call of seconds; everything else it hands over,
in order. The device thread obeys it between the steps of running generations, so a cancel takes effect within a token. End of input, SIGTERM or
shutdown end both, and the interpreter's own exit closes the device. A device that hangs is not waited for: the process
then ends by force, and its log says where it hung.
"""

from __future__ import annotations

import faulthandler
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import limits
from .errors import EngineError, classify
from .frames import Frame, FrameWriter, RawStream, parse_header, read_frame
from .generate_params import read_generate
from .generation import Generation
from .params import Params

if TYPE_CHECKING:
    from .engine import Engine

EXIT_OK = 0
EXIT_BROKEN = 1
"""A fault of this package outside of any request."""

EXIT_PROTOCOL = 65
"""What arrived was no frame: nothing after it can be understood."""

EXIT_DEVICE_FAILED = 70
"""The device is in an unknown state: a new process must open it again."""

_HIGHEST_ID = (1 << 63) - 1
_BODY_VERBS = frozenset({"use_tunings", "train_step", "train_evaluate", "train_backward", "train_continue"})


@dataclass(frozen=True)
class _Request:
    """A request for the device thread; a generate has its model and generation, the others their parameters."""

    id: int
    verb: str
    params: Params
    model: str = ""
    generation: Generation | None = None
    body: bytes = b""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Of a tune, or of a verb of training."""


class Server:
    """Serves one parent over a pair of streams until one of them ends it."""

    def __init__(self, source: RawStream, sink: RawStream, open_engine: Callable[[], Engine]) -> None:
        self._source = source
        self._writer = FrameWriter(sink)
        self._open_engine = open_engine
        self._engine: Engine | None = None
        # A SimpleQueue may be filled by a signal handler, whatever its thread was doing.
        self._inbox: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._pending: dict[int, _Request] = {}
        self._lock = threading.Lock()
        self._device_call: tuple[str, float] | None = None
        self._closing = False
        self._exit_code = EXIT_OK

    def run(self) -> int:
        """Serves until the end; returns the exit status of the process."""
        signal.signal(signal.SIGTERM, lambda *_: self._close())
        threading.Thread(target=self._read, name="protocol", daemon=True).start()
        while not self._closing:
            try:
                self._turn()
            except Exception as failure:
                error = classify(failure)
                traceback.print_exc()
                self._exit_code = EXIT_DEVICE_FAILED if error.device_failed else EXIT_BROKEN
                self._end_pending(error)
                self._close()
        self._end_pending(EngineError("cancelled", "The worker is shutting down."))
        return self._exit_code

    def _turn(self) -> None:
        """Waiting requests in their order, up to one that computes, then one step of every model that generates; only
        where none does, a piece of the search for faster kernels.

        Raises where nothing can go on.
        """
        batches = [batch for batch in self._engine.batches() if not batch.idle] if self._engine else []
        searches = self._engine is not None and self._engine.is_searching
        wait = not batches and not searches
        while (request := self._next(wait)) is not None:
            self._obey(request)
            if request.generation is None:
                break
            wait = False
        for batch in batches:
            with self._on_device("step"):
                batch.step()
        if not batches and searches and self._engine is not None and self._engine.is_searching:
            with self._on_device("tune"):
                self._engine.search_on()

    def _next(self, wait: bool) -> _Request | None:
        try:
            return self._inbox.get(block=wait)
        except queue.Empty:
            return None

    def _obey(self, request: _Request) -> None:
        if request.verb == "cancel" and request.generation is not None:
            request.generation.cancelled.set()
            return
        try:
            if request.generation is not None:
                self._require_engine().find(request.model).batch.submit(request.generation)
                return
            if request.verb == "tune":
                self._require_engine().tune(request.params, lambda answer: self._emit(request.id, answer), request.cancelled)
                return
            with self._on_device(request.verb):
                result = self._call(request)
        except Exception as failure:
            error = classify(failure)
            if error.error_class == "internal":
                traceback.print_exc()
            self._settle(request.id, {"error": error.to_wire()})
            if error.device_failed:
                raise error from failure
        else:
            self._settle(request.id, {"result": result})

    def _call(self, request: _Request) -> dict[str, Any]:
        if request.verb == "shutdown":
            request.params.finish()
            self._close()
            return {}
        engine = self._require_engine()
        if request.verb.startswith("train_"):
            return engine.training.call(request.verb, request.params, request.body, lambda: self._heed(request))
        verbs: dict[str, Callable[[Params], dict[str, Any]]] = {
            "hello": engine.hello,
            "probe": engine.probe,
            "selftest": engine.self_test,
            "estimate": engine.estimate,
            "load": engine.load,
            "warmup": engine.warm_up,
            "unload": engine.unload,
            "use_tunings": lambda params: engine.use_tunings(params, request.body),
        }
        if request.verb not in verbs:
            raise EngineError("protocol_violation", f"There is no verb {request.verb[: limits.VERB_CHARACTERS]!r}.")
        return verbs[request.verb](request.params)

    def _heed(self, request: _Request) -> None:
        """Between the parts of a long call: it has not stood still, and ends here where it was cancelled."""
        self._device_call = request.verb, time.monotonic()
        if request.cancelled.is_set():
            raise EngineError("cancelled", "The work was cancelled; nothing was changed.")

    @contextmanager
    def _on_device(self, verb: str) -> Iterator[None]:
        """What the device thread is at, for whoever asks while it does not come back."""
        self._device_call = verb, time.monotonic()
        try:
            yield
        finally:
            self._device_call = None

    def _require_engine(self) -> Engine:
        if self._engine is None:
            try:
                self._engine = self._open_engine()
            except Exception as failure:
                raise classify(failure, opening=True) from failure
        return self._engine

    def _read(self) -> None:
        """The reader thread: frames until the input ends or is no protocol."""
        try:
            while (frame := read_frame(self._source)) is not None:
                self._take(frame)
        except EngineError as error:
            self._send(0, {"error": error.to_wire()})
            self._exit_code = EXIT_PROTOCOL
        except (EOFError, OSError):
            self._exit_code = EXIT_PROTOCOL
        finally:
            self._close()

    def _take(self, frame: Frame) -> None:
        request_id = 0
        try:
            header = parse_header(frame.header)
            request_id = _request_id(header)
            self._dispatch(request_id, header, frame.body)
        except EngineError as error:
            self._send(request_id, {"error": error.to_wire()})

    def _dispatch(self, request_id: int, header: dict[str, Any], body: bytes) -> None:
        verb = header.get("verb")
        if not isinstance(verb, str):
            raise EngineError("protocol_violation", "A header has no verb.")
        params = Params(header.get("params"), "params")
        if verb == "cancel":
            self._cancel(params.integer("request", 1, _HIGHEST_ID))
        elif verb == "stats":
            self._send(request_id, {"result": self._stats()})
        else:
            self._hand_over(self._parse(request_id, verb, params, body))

    def _parse(self, request_id: int, verb: str, params: Params, body: bytes) -> _Request:
        if verb != "generate":
            if body and verb not in _BODY_VERBS:
                raise EngineError("protocol_violation", f"The verb {verb[: limits.VERB_CHARACTERS]!r} has no body.")
            return _Request(request_id, verb, params, body=body)
        model, wanted = read_generate(params, body)
        generation = Generation(wanted, emit=lambda answer: self._emit(request_id, answer))
        return _Request(request_id, verb, params, model, generation)

    def _hand_over(self, request: _Request) -> None:
        with self._lock:
            if len(self._pending) >= limits.REQUESTS:
                count = len(self._pending) + 1
                raise EngineError("queue_full", "Too many requests are in work.", count, limits.REQUESTS)
            if request.id in self._pending:
                raise EngineError("protocol_violation", f"The request {request.id} is in work.")
            self._pending[request.id] = request
        self._inbox.put(request)

    def _cancel(self, request_id: int) -> None:
        with self._lock:
            request = self._pending.get(request_id)
        if request is not None:
            request.cancelled.set()
        if request is not None and request.generation is not None:
            # Behind what was asked before it: a slot it frees is given to whoever has come by now.
            self._inbox.put(_Request(request_id, "cancel", request.params, request.model, request.generation))

    def _stats(self) -> dict[str, Any]:
        with self._lock:
            generations = sum(request.generation is not None for request in self._pending.values())
            figures: dict[str, Any] = {"pending_requests": len(self._pending), "running_generations": generations}
        if call := self._device_call:
            figures["device_call"] = {"verb": call[0][: limits.VERB_CHARACTERS], "seconds": time.monotonic() - call[1]}
        return figures | (self._engine.stats() if self._engine else {"memory_used_bytes": 0, "models": []})

    def _emit(self, request_id: int, answer: dict[str, Any]) -> None:
        if "token" in answer or "progress" in answer:
            self._send(request_id, answer)
        else:
            self._settle(request_id, answer)

    def _settle(self, request_id: int, answer: dict[str, Any]) -> None:
        """Sends the last answer of a request; one that was settled before stays so."""
        with self._lock:
            known = self._pending.pop(request_id, None)
        if known is not None:
            self._send(request_id, answer)

    def _send(self, request_id: int, answer: dict[str, Any]) -> None:
        """A parent that is gone ends the worker."""
        try:
            self._writer.write({"id": request_id} | answer)
        except OSError:
            self._close()

    def _end_pending(self, error: EngineError) -> None:
        with self._lock:
            pending = list(self._pending)
        for request_id in pending:
            self._settle(request_id, {"error": error.to_wire()})

    def _close(self) -> None:
        if not self._closing:
            faulthandler.dump_traceback_later(limits.CLOSE_SECONDS, exit=True, file=sys.__stderr__)
        self._closing = True
        self._inbox.put(None)


def _request_id(header: dict[str, Any]) -> int:
    value = header.get("id")
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _HIGHEST_ID:
        raise EngineError("protocol_violation", "A header has no id of 1 or more.")
    return value
