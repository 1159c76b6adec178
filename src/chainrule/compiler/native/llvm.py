"""Native code: all calls of LLVM, which compiles LLVM IR to the machine code of a CPU.

A `Machine` is a CPU to compile for, `compile_to_object` makes object code for it, and `load` loads that into this
process. Object code is plain bytes, so it can be kept in a file and loaded again by another process on a machine of the
same name.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from llvmlite import binding, ir

from chainrule.compiler.native.uninterrupted import uninterrupted
from chainrule.core.forks import held_while_forking, lock_held_while_forking
from chainrule.errors import ArgumentError, ChainruleError, suggest
from chainrule.reading.functions import FUNCTIONS

P = ParamSpec("P")
T = TypeVar("T")

VARIABLE = "CHAINRULE_MACHINE"
"""The environment variable that chooses the machine: `host`, or a name that `Machine.named` takes."""

VERSION = ".".join(map(str, binding.llvm_version_info))
"""The version of LLVM; another version may compile the same text to other code."""

_LINUX = "x86_64-unknown-linux-gnu"
_NAMED = {
    "sse2": ("x86_64", "x86-64", 128, ("sse2",)),
    "avx2": ("x86_64", "x86-64-v3", 256, ("avx2", "fma", "bmi2")),
    "avx512": ("x86_64", "x86-64-v4", 512, ("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd")),
    "arm64": ("aarch64", "generic", 128, ("neon",)),
}
"""For each name: the architecture, LLVM's name of the CPU, the bits of a vector, and the features that it needs."""

FROM_LIBM = (
    *[function.name for function in FUNCTIONS.values() if function.llvm not in ("", "test")],
    *("rint", "round", "ldexp", "fma", "floorf", "ceilf", "truncf"),
)
"""The functions of C's `math.h` that compiled code may call; calls of the last ones are made by LLVM itself."""

FROM_LIBC = ("memcpy", "memmove", "memset", "bzero")
"""The functions of C's library that LLVM itself makes calls of."""


class NativeCodeError(ChainruleError, RuntimeError):
    """Raised when LLVM refuses a module, or object code that is to be loaded."""


class BoundsError(ChainruleError, RuntimeError):
    """Raised before native code reads or writes outside of an array. Only checked code does (CHAINRULE_BOUNDS=1)."""


# ---- threads -------------------------------------------------------------------------------------------------------

_making = lock_held_while_forking()
_of_llvmlite: Any = getattr(getattr(binding.ffi.lib, "_lock", None), "_lock", None) or threading.RLock()
"""The lock that llvmlite takes for each call of LLVM, or a new one if a version of llvmlite keeps it elsewhere. Other
packages may call llvmlite, too, and objects of ours may be freed meanwhile."""
held_while_forking(_of_llvmlite, innermost=True)  # after the lock of `uninterrupted`: all work takes them in this order

_calling_llvm = uninterrupted(may_run_here=_of_llvmlite._is_owned)
"""Decorates functions that call LLVM: one of them runs at a time, and no exception from outside interrupts it."""


def made_once(make: Callable[P, T]) -> Callable[P, T]:
    """Decorates a function so that it runs once for the same arguments, even if several threads call it at the same
    time: with `functools.cache` each of them would make a result, and only the last one would be kept."""
    made: dict[Any, T] = {}

    @functools.wraps(make)
    def call(*arguments: P.args, **named: P.kwargs) -> T:
        key = arguments, tuple(sorted(named.items()))
        if key not in made:
            with _making:
                if key not in made:
                    made[key] = make(*arguments, **named)
        return made[key]

    return call


@dataclass(frozen=True)
class Machine:
    """A CPU to compile for.

    Attributes:
        triple: LLVM's name of the architecture and the operating system.
        cpu: LLVM's name of the CPU.
        features: what it can do, in LLVM's notation: `+avx2,-avx512f`.
        bits: the width of its vector registers.

    >>> Machine.named("avx512").lanes(64), Machine.named("sse2").lanes(32)
    (8, 4)
    >>> Machine.named("sse2").fma
    False
    """

    triple: str
    cpu: str
    features: str
    bits: int

    @classmethod
    def host(cls) -> Machine:
        """Returns the CPU that this process runs on."""
        return _host()

    @classmethod
    def named(cls, name: str) -> Machine:
        """Returns a CPU that has vectors of some width, and only the features that come with them.

        Args:
            name: `sse2`, `avx2` (with FMA) or `avx512` of x86-64; `arm64`, for reading its assembly.

        Raises:
            ArgumentError: there is no machine of this name.
        """
        if name not in _NAMED:
            raise ArgumentError(f"there is no machine {name!r}, only {', '.join(_NAMED)}.{suggest(name, _NAMED)}")
        architecture, cpu, bits, _ = _NAMED[name]
        here = _process_triple()
        triple = here if _is_of(here, architecture) else _LINUX.replace("x86_64", architecture)
        features = "-prefer-256-bit" if name == "avx512" else "+neon" if name == "arm64" else ""
        return cls(triple, cpu, features, bits)

    @classmethod
    def default(cls) -> Machine:
        """Returns the machine to compile for: the host, or what the variable CHAINRULE_MACHINE says.

        Raises:
            ArgumentError: the variable names no machine, or one whose code does not run here.
        """
        name = os.environ.get(VARIABLE) or "host"
        if name == "host":
            return cls.host()
        machine = cls.named(name)
        if not machine.runs_here:
            raise ArgumentError(f"{VARIABLE} is {name}, but this CPU, {cls.host().cpu}, does not run such code")
        return machine

    @property
    def name(self) -> str:
        """A text for cache keys; machines have the same one only if the same code runs on both."""
        return " ".join([self.triple, self.cpu, self.features or "-", str(self.bits)])

    @property
    def fma(self) -> bool:
        """Whether the CPU calculates a·b + c with one rounding, and as fast as a product."""
        if self.cpu in ("x86-64-v3", "x86-64-v4") or _is_of(self.triple, "aarch64"):
            return True
        return "+fma" in self.features.split(",")

    @property
    def runs_here(self) -> bool:
        """Whether this process can run code for the machine."""
        host = _host()
        named = [row for row in _NAMED.values() if row[1] == self.cpu]
        if self == host or not named:
            return self == host
        architecture, _, _, needed = named[0]
        available = set(host.features.split(","))
        return _is_of(host.triple, architecture) and all(f"+{feature}" in available for feature in needed)

    def lanes(self, float_bits: int) -> int:
        """Returns how many floats of 32 or 64 bits fit into a vector register."""
        return self.bits // float_bits


def _is_of(triple: str, architecture: str) -> bool:
    return triple.startswith(("aarch64", "arm64") if architecture == "aarch64" else architecture)


@functools.cache
@_calling_llvm
def _process_triple() -> str:
    return binding.get_process_triple()


@functools.cache
@_calling_llvm
def _host() -> Machine:
    features = dict(binding.get_host_cpu_features())
    bits = 128
    if all(features.get(feature) for feature in _NAMED["avx512"][3]):
        bits = 512
    elif features.get("avx2"):
        bits = 256
    features["prefer-256-bit"] = False  # for some CPUs with vectors of 512 bits LLVM prefers shorter ones
    if not _process_triple().startswith("x86_64"):
        del features["prefer-256-bit"]
    text = ",".join(f"{'+' if has else '-'}{name}" for name, has in sorted(features.items()))
    return Machine(_process_triple(), binding.get_host_cpu_name(), text, bits)


# ---- from a module to object code ----------------------------------------------------------------------------------

_QUICK = ("always_inliner", "global_dead_code_eliminate", "sroa", "instruction_combine", "simplify_cfg")
_UNROLL = ("loop_rotate", "loop_unroll", "instruction_combine")
"""The passes that run on a module; they inline its functions, put its variables into registers, and spell out loops of
a known length. LLVM's own list takes two to six times as long, for code that is at best a tenth faster. Its global
value numbering (`new_gvn`) has no measurable benefit here, and ends the process on some modules with an assertion
(LLVM 22, "Seem to have processed the same Value a lot")."""


@functools.cache
def _initialize(everything: bool) -> None:
    if everything:
        binding.initialize_all_targets()
        binding.initialize_all_asmprinters()
        return
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    # by default LLVM takes quadratic time to order a long run of loads and stores
    binding.set_option("", "--combiner-tokenfactor-inline-limit=64")


@functools.cache
def _target(machine: Machine, level: int) -> binding.TargetMachine:
    _initialize(everything=False)
    if machine.triple != _process_triple():
        _initialize(everything=True)
    target = binding.Target.from_triple(machine.triple)
    return target.create_target_machine(machine.cpu, machine.features, level, reloc="pic", codemodel="small")


def _optimized(text: str, machine: Machine, optimize: int, unroll: bool) -> binding.ModuleRef:
    """Parses, verifies and optimizes a module."""
    target = _target(machine, min(optimize, 2))
    try:
        parsed = binding.parse_assembly(text, binding.create_context())
        parsed.triple, parsed.data_layout = machine.triple, str(target.target_data)
        parsed.verify()
    except RuntimeError as error:
        raise NativeCodeError(f"LLVM refuses the module: {error}") from None
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    builder = binding.create_pass_builder(target, options)
    if optimize > 2:
        passes = builder.getModulePassManager()
    else:
        passes = binding.create_new_module_pass_manager()
        for name in (_QUICK[:2], _QUICK[:4], _QUICK + _UNROLL * unroll)[optimize]:
            getattr(passes, f"add_{name}_pass")()
    passes.run(parsed, builder)
    _free(passes)
    return parsed


def _free(passes: binding.ModulePassManager) -> None:
    """Frees a list of passes. llvmlite does not: a base class's empty `_dispose` hides the one that would free it."""
    if type(passes)._dispose is binding.ffi.ObjectRef._dispose:
        binding.newpassmanagers.NewPassManager._dispose(passes)


@_calling_llvm
def _emitted(text: str, machine: Machine, optimize: int, unroll: bool = True, as_text: bool = False) -> Any:
    target = _target(machine, min(optimize, 2))
    return (target.emit_assembly if as_text else target.emit_object)(_optimized(text, machine, optimize, unroll))


def compile_to_object(module: ir.Module | str, machine: Machine, optimize: int = 2, unroll: bool = True) -> bytes:
    """Compiles a module to object code, for `load`.

    Args:
        module: the module; its vectors stay as they are, and its loops are not vectorized.
        machine: the CPU to compile for.
        optimize: from 0 (quick to compile) to 3 (LLVM's own passes, for code that runs for minutes).
        unroll: whether to look for loops of a known length, to spell them out, where `optimize` is 2.

    Raises:
        NativeCodeError: LLVM refuses the module.
    """
    return _emitted(str(module), machine, optimize, unroll)


def assembly(module: ir.Module | str, machine: Machine, optimize: int = 2) -> str:
    """Returns the CPU's assembly of a module, for reading.

    Raises:
        NativeCodeError: LLVM refuses the module.
    """
    return _emitted(str(module), machine, optimize, as_text=True)


# ---- loading -------------------------------------------------------------------------------------------------------


@functools.cache
def _functions_of_c() -> dict[str, int]:
    """Returns the addresses of C's functions, the same ones that Python's `math` calls."""
    process = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    if not hasattr(process, "exp"):
        process = ctypes.CDLL("libm.so.6")
    found = {name: getattr(process, name, None) for name in (*FROM_LIBM, *FROM_LIBC)}
    return {name: ctypes.cast(f, ctypes.c_void_p).value or 0 for name, f in found.items() if f is not None}


class Library:
    """Object code that `load` loaded into this process. It is unloaded when the Library is freed: keep that while the
    code may run."""

    _NAME = "library"

    def __init__(self, object_code: bytes) -> None:
        self._trackers: dict[str, binding.ResourceTracker] = {}  # first, so that it is freed first
        _initialize(everything=False)
        target = binding.Target.from_triple(_process_triple()).create_target_machine(jit=True)
        builder = binding.JITLibraryBuilder().add_object_img(object_code).add_current_process()
        for name, address in _functions_of_c().items():
            builder.import_symbol(name, address)
        self._linker = binding.create_lljit_compiler(target, use_jit_link=True, suppress_errors=True)
        self._trackers[""] = builder.link(self._linker, self._NAME)

    @_calling_llvm
    def address(self, function: str) -> int:
        """Returns the address of a function.

        Raises:
            NativeCodeError: the object code has no such function, or the function calls one that does not exist.
        """
        if function not in self._trackers:
            try:
                self._trackers[function] = self._linker.lookup(self._NAME, function)
            except RuntimeError as error:
                raise NativeCodeError(f"{function} cannot be linked: {error}") from None
        return self._trackers[function][function]

    def __del__(self, finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if finalizing():
            return  # the code goes with the process, and parts of llvmlite are gone already
        _unload(vars(self))


@_calling_llvm
def _unload(parts: dict[str, Any]) -> None:
    """Unloads the code of a Library. Takes everything out of `parts` before it is freed, so that nobody finds it there
    afterwards."""
    for tracker in parts.pop("_trackers").values():
        tracker.close()  # before the linker: LLVM would otherwise close that with code still in it
    if "_linker" in parts:
        parts.pop("_linker").close()


@_calling_llvm
def load(object_code: bytes) -> Library:
    """Loads object code into this process.

    Args:
        object_code: the result of `compile_to_object`, for a machine whose code runs here.

    Raises:
        NativeCodeError: these bytes are not object code for this machine.

    >>> text = "define double @twice(double %x) {  %y = fadd double %x, %x  ret double %y }"
    >>> library = load(compile_to_object(text, Machine.host()))
    >>> twice = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(library.address("twice"))
    >>> twice(21.0)
    42.0
    """
    try:
        return Library(object_code)
    except RuntimeError as error:
        raise NativeCodeError(f"this is no object code for this machine: {error}") from None
