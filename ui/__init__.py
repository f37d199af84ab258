"""The dashboard's parts: the only importer of Streamlit beside app, serve and pages."""

import os

from interpret_core import threads

threads.wait_briefly(os.environ)  # before a module of the dashboard imports torch
