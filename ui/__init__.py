"""The dashboard's parts: the only importer of Streamlit beside app, serve and pages."""
