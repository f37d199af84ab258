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
        "**Photographs**, with or without annotations: a folder of pictures, a folder for each class, "
        "pictures with a `classes.csv`, or Broden's layout. A zip archive, or a folder on the server, is "
        "added on a page, which shows what is in it first:"
    )
    links.link("Add a data set →", links.DATASETS)
    st.markdown(
        "COCO, ADE20K, VOC, Cityscapes, CamVid and masks of your own are brought in by a command, and "
        "folders are named in `unitscope.toml`, beside `app.py`:"
    )
    st.code("python -m interpret_core import voc VOCdevkit/VOC2012 --into data/voc", language="sh")
    st.code('[datasets]\nvoc = "data/voc"', language="toml")
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
        "**No data set yet.** Any photographs will do: with annotated pixels units get concepts, with "
        "classes they get labels of whole images, relevance and ablation, and without either every unit’s "
        "strongest pictures and colours."
    )
    own(expanded=True)
