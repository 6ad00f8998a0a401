"""Loads the compiled VM; compiling takes a third of a second, so its result is kept beside the VM."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
from typing import TYPE_CHECKING

import wasmtime

from hil.vm import places

if TYPE_CHECKING:
    from pathlib import Path


def load() -> tuple[wasmtime.Engine, wasmtime.Module]:
    """Return an engine of the caller's own and the VM compiled for it. Raises VmMissing.

    Each board has its own engine, because stopping a board moves its engine's epoch. The compiled code is
    mapped from one file, so boards share its pages.
    """
    wasm = places.require_vm()
    config = wasmtime.Config()
    config.wasm_exceptions = True
    config.epoch_interruption = True
    config.parallel_compilation = True
    engine = wasmtime.Engine(config)
    version = importlib.metadata.version("wasmtime")
    cached = wasm.with_name(f"{wasm.stem}-{places.REPAIRED_SHA256[:12]}-wasmtime-{version}.cwasm")
    with contextlib.suppress(wasmtime.WasmtimeError):  # absent, or compiled on another processor
        if cached.is_file():
            return engine, wasmtime.Module.deserialize_file(engine, str(cached))
    module = wasmtime.Module.from_file(engine, str(wasm))
    with contextlib.suppress(OSError):  # a read-only folder costs the time, not the board
        _keep(module, cached)
    return engine, module


def _keep(module: wasmtime.Module, path: Path) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(module.serialize())
    fresh.replace(path)
