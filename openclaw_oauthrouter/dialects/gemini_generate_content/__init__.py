"""Google's generateContent, spoken by the Gemini API and Vertex AI; a dialect of upstreams."""

from __future__ import annotations

from openclaw_oauthrouter.dialects.gemini_generate_content.dialect import GeminiGenerateContent

__all__ = ["GeminiGenerateContent"]
