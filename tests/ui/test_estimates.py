"""What a page says of a cost, measured or not."""

from __future__ import annotations

from interpret_core.analyses.estimate.paces import Pace
from interpret_core.analyses.estimate.result import AnalysisCost, Bytes, PartCost
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.request import RelevanceRequest
from ui.jobs import estimates
from ui.jobs.panel import Offer
from ui.jobs.words import takes


def test_a_measured_cost_has_an_interval_and_sizes() -> None:
    parts = [PartCost("profile", name, Pace(300.0, 280.0, 310.0, 500.0)) for name in ("IoU", "masks")]
    cost = AnalysisCost.of(parts, Bytes(2**30, 5 * 2**20, 70 * 2**20), "3 units")
    assert takes(cost, "a while") == (
        "≈ 10 min (8 min to 13 min), 1.0 GB of memory, 5 MB on disk, 70 MB more meanwhile, "
        "as measured on a sample"
    )


def test_what_was_not_measured_is_said_to_be_rough() -> None:
    assert takes(None, "a minute") == "a minute (a rough rule of thumb, not measured)"


def test_the_job_measures_what_the_page_asks_for() -> None:
    profile = ProfileRequest("net", "data", layers=("conv1",), batch_size=4, permutations=7)
    assert estimates.of_profile(profile).asked()["profile"] == profile
    labels = ImageLabelsRequest("net", "data", ("conv1",))
    assert estimates.of_image_labels(labels).asked() == {"image-labels": labels}
    relevance = RelevanceRequest("net", "data", method="conductance")
    assert estimates.of_relevance(relevance).asked() == {"relevance": relevance}


def test_offers_that_the_same_sample_measures_have_buttons_of_their_own() -> None:
    """Two elements of one key are an error of the whole page."""
    one, other = ProfileRequest("net", "data"), RelevanceRequest("net", "data")
    sample = estimates.of_profile(one)
    around = [Offer(request, "", "", measure=sample).key for request in (one, other)]
    inner = [Offer(sample, "", "", within=key).key for key in around]
    assert len({*around, *inner}) == 4
