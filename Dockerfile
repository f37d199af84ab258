# With the demo inside: dataset, weights and results in demo/; -e INTERPRET_DEMO=0 hides it.
# docker build -t unitscope . ; docker run -p 127.0.0.1:8501:8501 -v unitscope-cache:/cache unitscope
# Networks are added on its pages with: -e INTERPRET_UPLOADS=/uploads -v unitscope-uploads:/uploads
FROM python:3.11-slim

# A further package index, for example one with CPU builds of torch: an image about 2 GB smaller.
ARG PIP_EXTRA_INDEX_URL=""

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    INTERPRET_CACHE=/cache

RUN useradd --create-home --uid 1000 unitscope \
    && mkdir /cache /uploads \
    && chown unitscope /cache /uploads

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --retries 5 -r requirements.txt
COPY . .

USER 1000
VOLUME /cache /uploads
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "serve.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.headless", "true"]
