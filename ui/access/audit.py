"""A line for every act that only operators may, and for everything done to what belongs to others."""

from __future__ import annotations

import json
import logging

from ui.access import visitors

LOGGER = "unitscope.audit"
logger = logging.getLogger(LOGGER)


def note(act: str, **facts: str | int) -> None:
    """Write down that the present visitor has done something.

    Args:
        act: in two words: "network removed".
        facts: what it was done to, by names and ids; no pictures, no tokens, no paths.
    """
    who = visitors.current()
    told = {"act": act, "by": who.name or "local", "role": who.role.word, **facts}
    logger.info("%s", json.dumps(told, ensure_ascii=True), extra={"facts": told})
