"""Small procedures as YAML for the tests of the procedure package."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from workflow import yamltree
from workflow.procedure.language import Revision

if TYPE_CHECKING:
    from collections.abc import Mapping

SOUND: Mapping[str, str] = {
    "head": """
        procedure: "1.004220"
        revision: "1"
        name: {vi: Đăng ký biến động, en: Registration of a change}
        figures: sample
        zone: Asia/Ho_Chi_Minh
        calendar: office
        initial: submitted
        """,
    "states": """
        states:
          submitted: {}
          checked: {role: desk, limit: {within: 2, counts: days}}
          drafted: {role: officer, limit: {within: 5, counts: days}}
          signed: {role: head, limit: {within: 1, counts: days}}
          returned: {final: true}
        """,
    "actions": """
        actions:
          receive: {milestone: received, role: [desk], moves: [{from: [submitted], to: checked}]}
          assign: {role: [head], moves: [{from: [checked], to: drafted}]}
          sign: {milestone: issued, role: [head], moves: [{from: [drafted], to: signed}]}
          return: {milestone: returned, role: [desk], moves: [{from: [signed], to: returned}]}
        """,
    "counting": """
        counting:
          days: {unit: working_days, first_day: excluded, rest_day: rolls, reaching: in_time}
        """,
    "limits": """
        limits:
          committed: {binds: {end: any}, within: 10, counts: days, date: committed, headline: true}
        """,
}
"""A sound procedure, part by part."""


def text(**parts: str) -> str:
    """The sound procedure with some parts replaced, left out (empty) or added."""
    return "\n".join(dedent(part).strip("\n") for part in {**SOUND, **parts}.values() if part)


def read(source: str) -> Revision:
    """The procedure in this YAML."""
    return yamltree.parse(source.encode(), "p.yaml", Revision)


def procedure(**parts: str) -> Revision:
    """That procedure as read."""
    return read(text(**parts))
