# The service alone; it speaks to the Neo4j that SELFSAME_NEO4J_URI names. docker-compose.yml puts both together.
FROM python:3.12-slim

WORKDIR /app
COPY requirements.lock .
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY . .
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps . \
 && useradd --system --create-home selfsame \
 && install --directory --owner selfsame /data

USER selfsame
ENV SELFSAME_HOST=0.0.0.0 SELFSAME_PORT=8000 SELFSAME_DATA_DIR=/data SELFSAME_LOG_FORMAT=json
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["selfsame"]
CMD ["serve"]
