"""The contestants of `compiled.py`, in the order of the tables."""

from __future__ import annotations

from dataclasses import dataclass

C, C_TWICE = "c", "c-twice"
COMPILED, TWO_THREADS, FLOAT32 = "chainrule", "chainrule-2", "chainrule-f32"
EAGER, NUMPY = "eager", "numpy"
TORCH, TORCH_COMPILE = "torch", "torch-compile"
JAX, JAX_SCAN = "jax", "jax-scan"
CASADI, AADC, MICROGRAD = "casadi", "aadc", "micrograd"


@dataclass(frozen=True)
class Contestant:
    title: str
    module: str
    """Where, in the package of a workload, stands what this contestant does."""
    library: str = ""
    """Its name for pip."""


CONTESTANTS = {
    C: Contestant("C by hand", "by_hand_c"),
    C_TWICE: Contestant("C by hand, two processes", "by_hand_c"),
    COMPILED: Contestant("chainrule compiled", "chainrule_compiled", "chainrule"),
    TWO_THREADS: Contestant("chainrule, two threads", "chainrule_compiled", "chainrule"),
    FLOAT32: Contestant("chainrule, float32", "chainrule_compiled", "chainrule"),
    EAGER: Contestant("chainrule eager", "chainrule_eager", "chainrule"),
    NUMPY: Contestant("NumPy by hand", "by_hand_numpy", "numpy"),
    TORCH: Contestant("PyTorch eager", "by_torch", "torch"),
    TORCH_COMPILE: Contestant("torch.compile", "by_torch", "torch"),
    JAX: Contestant("JAX, jit", "by_jax", "jax"),
    JAX_SCAN: Contestant("JAX, jit and scan", "by_jax", "jax"),
    CASADI: Contestant("CasADi", "by_casadi", "casadi"),
    AADC: Contestant("AADC", "by_aadc", "aadc"),
    MICROGRAD: Contestant("micrograd", "by_micrograd", "micrograd"),
}

COMPILERS = (COMPILED, TWO_THREADS, FLOAT32)

ENVIRONMENT = {  # of every process: one thread, whatever the library; double precision; no caches of former runs
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",  # JAX's pools
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_ENABLE_X64": "1",
    "JAX_PLATFORMS": "cpu",
    "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "CHAINRULE_PURE": "",
    "PYTHONWARNINGS": "ignore",
}


def in_folder(folder: str) -> dict[str, str]:
    """The environment of a process whose caches lie in a folder: in a new one it sets up as on the first day, whatever
    CHAINRULE_CACHE says here."""
    return ENVIRONMENT | {"TMPDIR": folder, "XDG_CACHE_HOME": folder, "CHAINRULE_CACHE": f"{folder}/kernels"}
