"""The untrained control of a network: the same layers before any training, beside which agreement is read.

A unit that is active on an object has both overlap and attribution there, whatever it has learned: untrained
networks agree better than chance. What training adds is the distance to the control.
"""

from __future__ import annotations

from interpret_core import config, demo, networks
from interpret_core.network_tables import NetworkTable
from interpret_core.networks.providers.architectures import file_of

RANDOM = "@random"
FAMILIES = (demo.PREFIX, "torchvision/", "timm/")  # whose names may end in `@random`


def untrained_control(name: str) -> str | None:
    """Name of the same network with random weights.

    Args:
        name: of a network, as the registry knows it; a configured one is what it stands for.
    Returns:
        None where nobody can build one, or where the network is untrained itself.
    Raises:
        NetworkError: unknown name.
    """
    table = config.current().networks.get(name, NetworkTable(name))
    model, _, member = table.network.partition("@")
    # With another last layer or another input it is not the architecture that anybody can name.
    other = file_of(member) is not None or any((table.classes, table.size, table.mean, table.std))
    if not model.startswith(FAMILIES) or other:
        return None
    control = f"{model}{RANDOM}"
    return None if _recipe(control) == _recipe(name) else control


def _recipe(name: str) -> str:
    """What is known of a network without building it; the weights are those at hand."""
    spec = networks.find(name)
    return spec.recipe(spec.weights(fetch=False), networks.find_device("cpu"))
