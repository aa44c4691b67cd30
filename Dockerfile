# The service with the packaged pipeline. See docs/serve.md.
#
#   docker build -t en_bert_ner .
#   docker build -t en_bert_ner --build-arg BASE=nvidia/cuda:12.8.1-runtime-ubuntu24.04 \
#     --build-arg EXTRAS=serve,cuda12 --build-arg CONSTRAINTS=constraints/cuda12.txt .

ARG BASE=python:3.12-slim

FROM ${BASE} AS build
ARG EXTRAS=serve
ARG CONSTRAINTS=constraints.txt
# Folder of the packaged pipeline: <recipe>-<corpus>
ARG PACKAGE=config-conll2003
# Additional package index, such as PyTorch's index of builds without CUDA
ARG PIP_EXTRA_INDEX_URL
RUN command -v python3 >/dev/null && python3 -c "import ensurepip" 2>/dev/null || ( \
      apt-get update && apt-get install -y --no-install-recommends python3 python3-venv )
RUN python3 -m venv /opt/venv
WORKDIR /build
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY constraints constraints
COPY bert_ner bert_ner
COPY scripts scripts
COPY packages/${PACKAGE}/dist/*.whl wheels/
RUN /opt/venv/bin/pip install --no-cache-dir -c ${CONSTRAINTS} ".[${EXTRAS}]" wheels/*.whl

FROM ${BASE}
RUN command -v python3 >/dev/null || ( \
      apt-get update && apt-get install -y --no-install-recommends python3 && \
      rm -rf /var/lib/apt/lists/* )
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ner
COPY --from=build /opt/venv /opt/venv
# The wheel contains the encoder, so no network is needed. Libraries write their caches to /tmp.
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
WORKDIR /opt/venv
USER 10001
EXPOSE 8000
# The container has its own loopback address: `docker run -p` decides who can reach the service.
ENTRYPOINT ["python", "-m", "scripts.serve"]
CMD ["en_bert_ner", "--host", "0.0.0.0"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
  ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
