# The fake and the verifier: `docker run IMAGE` serves on port 4010, `docker run IMAGE verify URL` judges a server.
# docs/ci.md says more.
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /build
RUN python -m venv /opt/mockserver
ENV PATH=/opt/mockserver/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements-state.txt ./
RUN pip install -r requirements-state.txt
COPY pyproject.toml README.md LICENSE openapi.yaml ./
COPY fixtures fixtures
COPY clients clients
COPY mockserver mockserver
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes hatchling trove-classifiers pathspec setuptools pip

FROM ${PYTHON}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="prepbusiness-mockserver" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/mockserver /opt/mockserver
# A volume that is mounted where the image has a folder belongs to whom that belongs to.
RUN useradd --uid 10001 --create-home --home-dir /work mockserver \
    && install --directory --owner=mockserver --group=mockserver /reports
ENV PATH=/opt/mockserver/bin:$PATH PYTHONUNBUFFERED=1 MOCKSERVER_HOST=0.0.0.0
USER 10001:10001
WORKDIR /work
EXPOSE 4010
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["mockserver", "health"]
ENTRYPOINT ["mockserver"]
CMD ["serve"]
