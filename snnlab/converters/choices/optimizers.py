"""PyTorch's optimizers without its compiler.

The first use of a torch.optim optimizer imports torch._dynamo, the compiler, which nothing here uses: some 150 MB and 3
seconds of each lesson. The methods that do so are wrappers; beneath them lie the optimizer's own.
"""

import inspect
from typing import TypeVar

import torch
from torch.optim import Optimizer

WRAPPED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


Kind = TypeVar("Kind", bound=Optimizer)


def _uncompiled(kind: type[Kind]) -> type[Kind]:
    """A class of torch.optim with its own methods in place of their wrappers: the same steps, to the last bit."""
    own = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**own, "step": step, "__doc__": kind.__doc__})


SGD = _uncompiled(torch.optim.SGD)
Adam = _uncompiled(torch.optim.Adam)
