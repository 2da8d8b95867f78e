# The gateway for a team or a server: no root, no shell needed, state in one volume.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY openclaw_oauthrouter openclaw_oauthrouter
RUN python -m venv /app && /app/bin/pip install --no-cache-dir ".[speed,redis]"

FROM python:3.13-slim
COPY --from=build /app /app
RUN useradd --system --uid 10001 --home-dir /state gateway && install -d -o gateway -m 0700 /state
USER gateway
VOLUME /state
# Inside the container every interface is bound; what the outside reaches is decided by the published port.
ENV OAUTHROUTER_HOME=/state OAUTHROUTER_LISTEN_HOST=0.0.0.0 OAUTHROUTER_LOG_FORMAT=json PYTHONUNBUFFERED=1
EXPOSE 8402
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD ["/app/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8402/health', timeout=2)"]
ENTRYPOINT ["/app/bin/openclaw-oauthrouter"]
CMD ["serve"]
