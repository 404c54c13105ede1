# Builds the wheel, then an image with nothing but Python, what requirements-pg.lock names, and the wheel.
FROM python:3.12.12-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir /wheels .

FROM python:3.12.12-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
COPY requirements-pg.lock /tmp/requirements.lock
COPY --from=build /wheels /tmp/wheels
RUN python -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r /tmp/requirements.lock \
    && python -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps /tmp/wheels/*.whl \
    && rm -rf /tmp/requirements.lock /tmp/wheels \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin dunghen
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["dunghen"]
CMD ["--help"]
