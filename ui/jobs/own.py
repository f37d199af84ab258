"""How one's own photographs and networks come in, and what a page says where there are none."""

from __future__ import annotations

import streamlit as st

from ui.shell import links


def own(*, expanded: bool = False) -> None:
    """How one's own photographs and networks come in, out of the way until it is wanted."""
    with st.expander("Use your own photographs and networks", expanded=expanded):
        left, right = st.columns(2, gap="large")
        with left:
            _own_data()
        with right:
            _own_networks()


def _own_data() -> None:
    st.markdown(
        "**Photographs with annotations**, in Broden's layout, or a plain folder of images with a "
        "`classes.csv` (columns image, class), which is enough for relevance. Name your folders in "
        "`unitscope.toml`, beside `app.py`:"
    )
    st.code('[datasets]\nkitchen = "/data/kitchen"', language="toml")
    st.markdown("or fetch Broden itself (63,305 images, about 1 GB):")
    st.code("python -m interpret_core fetch broden", language="sh")


def _own_networks() -> None:
    st.markdown(
        "**Networks.** torchvision's classification models are in the sidebar's list. Such a model, or one "
        "of timm, with weights of your own is added on a page:"
    )
    links.link("Add a network →", links.NETWORKS)
    st.markdown("Any other module is named in `unitscope.toml` by a function that returns it:")
    st.code('[networks]\nmine = "package.module:factory@weights.safetensors"', language="toml")
    st.markdown(
        "Then reload this page, choose both in the sidebar and press the button: it says what it costs."
    )


def no_dataset() -> None:
    """Nothing registered: what to do."""
    st.info(
        "**No data set yet.** Unitscope needs photographs with annotations, in Broden's layout. For "
        "relevance, a plain folder of images with classes.csv will do."
    )
    own(expanded=True)
