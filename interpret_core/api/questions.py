"""The analyses as functions: a network and a data set in, a result out; what was answered before is kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from interpret_core import config, datasets
from interpret_core.analyses.ablation.request import AblateRequest
from interpret_core.analyses.agreement.request import AgreementRequest
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.registry import compute
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.api.results import ProfileResult, RelevanceResult, Result
from interpret_core.api.signatures import request_of, takes
from interpret_core.datasets import Dataset
from interpret_core.datasets.excerpts import lent as data_lent
from interpret_core.errors import NetworkError, ParameterError
from interpret_core.networks import Network
from interpret_core.options import Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import lent
from interpret_core.store import Store

Asked = Network | str
Data = Dataset | str | os.PathLike[str]
Tell = Callable[[str, int, int], None]
Cache = str | os.PathLike[str] | None

_ONE_AT_A_TIME = threading.RLock()  # what is lent stands for its name in the whole process


@takes(ProfileRequest)
def profile(
    network: Asked, dataset: Data, *, cache: Cache = None, tell: Tell | None = None, **options: Any
) -> ProfileResult:
    """What each unit of some layers detects: thresholds, IoU with every concept, chance, an assessment.

    Args:
        network: a `Network` of `load` or `wrap`, or a name.
        dataset: a `Dataset` of `open_dataset`, a name or a folder; annotated in C concepts.
    {options}
        cache: folder of results; by default INTERPRET_CACHE.
        tell: called with the stage, the pictures done and those in all.

    Returns:
        The result: `layers`, `iou` (U, C) by layer, `labels` (U,) by layer, a row for each unit and label.

    Raises:
        NetworkError, DatasetError, LayerError: what is not there, or cannot be used.
        ParameterError: an option that has no meaning; the message gives the value and what was expected.
        NonFiniteError: a response that is no number; the message names the layer and the picture.

    Source: Bau et al. 2017, section 2; exact thresholds, where NetDissect-Lite samples.

    Example:
        >>> import interpret_core as ic
        >>> found = ic.profile("demo/alexnet", "demo", layers=["conv5"])
        >>> found.iou["conv5"].shape[0], found.labels["conv5"][3]
        (256, 'path')
        >>> frame = found.to_frame()
        >>> sorted(frame["layer"].unique()), int(frame["unit"].nunique())
        (['conv5'], 256)
    """
    return _answered(ProfileRequest, (network,), dataset, (cache, tell), options)


@takes(RelevanceRequest)
def relevance(
    network: Asked, dataset: Data, *, cache: Cache = None, tell: Tell | None = None, **options: Any
) -> RelevanceResult:
    """Which classes each unit matters for: integrated gradients, summed inside the class's objects.

    Args:
        network: a `Network` of `load` or `wrap`, or a name.
        dataset: a `Dataset` of `open_dataset`, a name or a folder, with pictures of classes it knows.
    {options}
        cache: folder of results; by default INTERPRET_CACHE.
        tell: called with the stage, the pictures done and those in all.

    Returns:
        The result: `classes` by name, `residual` beside every number (the share by which the attributions
        miss what they have to add up to), a row for each unit and class. Relevance is in the output's own
        unit, a probability or a logit, summed over pixels of the annotation grid.

    Raises:
        NetworkError, DatasetError, LayerError: what is not there, or cannot be used.
        NoGradientError: gradients do not reach a layer.
        ParameterError: an option that has no meaning.

    Source: Sundararajan et al. 2017 (integrated gradients), Dhamdhere et al. 2019 (conductance);
        docs/method.md, "Relevance".

    Example:
        >>> import interpret_core as ic
        >>> found = ic.relevance("demo/alexnet", "demo")
        >>> frame = found.to_frame()
        >>> bool((frame["residual"] <= 1).all()), len(found.classes)
        (True, 10)
    """
    return _answered(RelevanceRequest, (network,), dataset, (cache, tell), options)


@takes(AblateRequest)
def ablate(
    network: Asked, dataset: Data, *, cache: Cache = None, tell: Tell | None = None, **options: Any
) -> Result:
    """What a network can no longer do with units silenced.

    Args:
        network: a `Network` of `load` or `wrap`, or a name.
        dataset: a `Dataset` of `open_dataset`, a name or a folder, with pictures of classes it knows.
    {options}
        cache: folder of results; by default INTERPRET_CACHE.
        tell: called with the stage, the pictures done and those in all.

    Returns:
        The result: a row for each setting and evaluated class; accuracies and probabilities are shares.

    Raises:
        NetworkError, DatasetError, LayerError: what is not there, or cannot be used.
        ParameterError: an option that has no meaning.

    Source: Islam & Tushar 2021, Figs. 5 and 6; docs/method.md, "Ablation", for what is silenced.

    Example:
        >>> import interpret_core as ic
        >>> from torch import nn
        >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
        >>> names = ic.evaluate("demo/alexnet", "demo").to_frame()["class"][:10]
        >>> net = ic.wrap(nn.Sequential(*layers), 32, list(names))
        >>> lost = ic.ablate(net, "demo", by="hand", units={"conv1": [2, 5]}, layers="all")
        >>> lost.to_frame()["units"].unique().tolist()
        [2]
    """
    return _answered(AblateRequest, (network,), dataset, (cache, tell), options)


@takes(EvaluationRequest)
def evaluate(
    network: Asked, dataset: Data, *, cache: Cache = None, tell: Tell | None = None, **options: Any
) -> Result:
    """How often the intact network is right, class by class.

    Args:
        network: a `Network` of `load` or `wrap`, or a name.
        dataset: a `Dataset` of `open_dataset`, a name or a folder, with pictures of classes it knows.
    {options}
        cache: folder of results; by default INTERPRET_CACHE.
        tell: called with the stage, the pictures done and those in all.

    Returns:
        The result: a row for each class and one for all; accuracies are shares, 0 to 1.

    Raises:
        NetworkError, DatasetError: what is not there, or cannot be used.
        ParameterError: an option that has no meaning.

    Source: docs/method.md, "Accuracy", and "Classes and splits" for which output is which class.

    Example:
        >>> import interpret_core as ic
        >>> ic.evaluate("demo/alexnet", "demo").to_frame()["class"].iloc[0]
        'bed'
    """
    return _answered(EvaluationRequest, (network,), dataset, (cache, tell), options)


@takes(AgreementRequest)
def agreement(
    networks: Asked | Sequence[Asked],
    dataset: Data,
    *,
    cache: Cache = None,
    tell: Tell | None = None,
    **options: Any,
) -> Result:
    """Whether the units that overlap a class's object most matter most for it: the paper's Table I.

    Args:
        networks: one or several, each a `Network` of `load` or `wrap`, or a name.
        dataset: a `Dataset` of `open_dataset`, a name or a folder, whose objects are annotated.
    {options}
        cache: folder of results; by default INTERPRET_CACHE.
        tell: called with the stage, the pictures done and those in all.

    Returns:
        The result: a row for each layer and class and one for each network; error and chance are in percent.

    Raises:
        NetworkError, DatasetError, LayerError: what is not there, or cannot be used.
        ParameterError: an option that has no meaning, or two networks of one name.

    Source: Islam & Tushar 2021, Table I; docs/method.md, "Agreement of IoU and relevance".

    Example:
        >>> import interpret_core as ic
        >>> frame = ic.agreement("demo/alexnet", "demo").to_frame()
        >>> bool(frame["error"].between(0, 100).all()), frame["layer"].iloc[-1]
        (True, '*')
    """
    several = (networks,) if isinstance(networks, Network | str) else tuple(networks)
    return _answered(AgreementRequest, several, dataset, (cache, tell), options)


@takes(ImageLabelsRequest)
def image_labels(
    network: Asked, dataset: Data, *, cache: Cache = None, tell: Tell | None = None, **options: Any
) -> Result:
    """Which label of whole pictures each unit tells best, where nobody has annotated a pixel.

    Args:
        network: a `Network` of `load` or `wrap`, or a name.
        dataset: a `Dataset` of `open_dataset`, a name or a folder, with classes.csv or folders of classes.
    {options}
        cache: folder of results; by default INTERPRET_CACHE.
        tell: called with the stage, the pictures done and those in all.

    Returns:
        The result: a row for each unit with its best label; AUC and average precision from 0 to 1.

    Raises:
        NetworkError, DatasetError, LayerError: what is not there, or cannot be used.
        ParameterError: an option that has no meaning.

    Source: docs/method.md, "Labels of whole images".

    Example:
        >>> import interpret_core as ic
        >>> from torch import nn
        >>> layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
        >>> net = ic.wrap(nn.Sequential(*layers), 32)
        >>> found = ic.image_labels(net, "demo", permutations=0)
        >>> len(found.to_frame())
        8
    """
    return _answered(ImageLabelsRequest, (network,), dataset, (cache, tell), options)


def _answered(
    kind: type[Request],
    networks: Sequence[Asked],
    dataset: Data,
    how: tuple[Cache, Tell | None],
    options: dict[str, Any],
) -> Any:
    """Ask, with the very objects that were given in place of their names."""
    data = dataset if isinstance(dataset, Dataset) else datasets.open_dataset(os.fspath(dataset))
    names = tuple(_name(one) for one in networks)
    asked = {"networks": names} if kind is AgreementRequest else {"network": names[0]}
    request = request_of(kind, {**asked, "dataset": data.name}, options)
    cache, tell = how
    execution = Execution() if tell is None else Execution(tell=tell)
    with _ONE_AT_A_TIME, _lent(networks, data), Store(cache or config.current().cache) as store:
        found = compute(request, store, execution)
    answer = {ProfileRequest: ProfileResult, RelevanceRequest: RelevanceResult}.get(kind, Result)
    return answer(request, found, data, networks, Path(cache or config.current().cache).absolute())


@contextmanager
def _lent(networks: Sequence[Asked], data: Dataset) -> Iterator[None]:
    """Each object stands for its name meanwhile.

    Raises:
        ParameterError: two networks of one name, which results could not tell apart.
    """
    alike: dict[str, Asked] = {}
    with ExitStack() as stack:
        for one in networks:
            name = _name(one)
            if alike.setdefault(name, one) is not one and alike[name] != one:
                raise ParameterError(f"Two networks are called {name!r}, expected names that differ.")
            if isinstance(one, Network):
                stack.enter_context(lent(name, one))
        stack.enter_context(data_lent(data))
        yield


def _name(network: object) -> str:
    """The name of a network, for a request.

    Raises:
        NetworkError: it is neither a network nor a name.
    """
    if isinstance(network, Network):
        return network.name
    if isinstance(network, str):
        return network
    remedy = "ic.wrap(module, size=…) makes one of it." if isinstance(network, nn.Module) else "see ic.load."
    raise NetworkError(f"The network is {type(network).__name__}, expected a Network or a name: {remedy}")
