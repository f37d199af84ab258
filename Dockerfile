# With the demo inside: data set, weights and results in demo/; -e INTERPRET_DEMO=0 hides it.
# docker compose up --build, or docker build -t unitscope . (docs/hosting.md). The steps are hosting/image.sh.
# The release workflow writes the digest behind the name: FROM python:3.11-slim@sha256:…
FROM python:3.11-slim

# A further package index, for example one with CPU builds of torch: an image about 2 GB smaller.
ARG PIP_EXTRA_INDEX_URL=""

# The root is read-only where it runs: what is fetched (weights) and made goes into volumes and /tmp.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    XDG_CACHE_HOME=/state/downloads \
    INTERPRET_CACHE=/cache

WORKDIR /app
COPY hosting/image.sh hosting/
RUN sh hosting/image.sh system \
    && useradd --create-home --uid 1000 unitscope \
    && mkdir /cache /state /uploads \
    && chown unitscope /cache /state /uploads
COPY requirements.txt requirements.lock ./
RUN sh hosting/image.sh python
COPY . .

USER 1000
VOLUME /cache /state /uploads
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=90s --retries=4 CMD ["sh", "hosting/image.sh", "check"]
CMD ["sh", "hosting/image.sh", "start", "--state", "/state"]
