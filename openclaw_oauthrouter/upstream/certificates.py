"""Whose certificates are trusted: the system's, those of Mozilla that httpx brings, and the user's own."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import certifi

from openclaw_oauthrouter.errors import ConfigurationError

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Environment variables by which other programs are told of a company's certificate; each names a file of PEM certificates."""

ADVICE = (
    "if a company's proxy or a certificate of your own stands there, name its PEM file in upstream.ca_file or in SSL_CERT_FILE"
)


def extra_files(ca_file: Path | None, environ: Mapping[str, str]) -> list[tuple[str, Path]]:
    """Files of certificates besides the usual, each with what names it.

    :param environ: empty where ``upstream.trust_env`` is off
    :raises ConfigurationError: a file is not there
    """
    named = [("upstream.ca_file", ca_file)] if ca_file is not None else []
    named += [(name, Path(environ[name])) for name in VARIABLES if environ.get(name)]
    for name, path in named:
        if not path.is_file():
            raise ConfigurationError(f"{name} names a file of certificates that is not there: {str(path)!r}")
    return named


def create_context(extra: list[tuple[str, Path]], directory: str | None = None) -> ssl.SSLContext:
    """A TLS context for clients.

    :param directory: of certificates (``SSL_CERT_DIR``)
    :raises ConfigurationError: a file holds no certificate
    """
    context = _system_context()
    for name, path in extra:
        try:
            context.load_verify_locations(cafile=path)
        except (ssl.SSLError, OSError) as error:
            raise ConfigurationError(f"{name}: {str(path)!r} cannot be read as PEM certificates ({error})") from error
    if directory and os.path.isdir(directory):
        context.load_verify_locations(capath=directory)
    return context


def _system_context() -> ssl.SSLContext:
    if sys.platform in ("darwin", "win32"):
        try:
            import truststore
        except ImportError:
            pass
        else:
            return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
