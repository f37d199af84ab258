"""Results to figures: what the dashboard draws, and what `.plot()` gives. No Streamlit, no files."""
