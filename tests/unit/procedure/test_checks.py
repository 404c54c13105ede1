# ruff: noqa: E501 - one case of a table is one line
"""Each finding, by the smallest change to a sound procedure that shows it, with the run that proves it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from drawing import SOUND, procedure, read, text
from effort import counted

from workflow.errors import UnsoundProcedure
from workflow.i18n import message, translator
from workflow.procedure.checks import STATES_MAX, check, check_all, require_sound
from workflow.procedure.finding import shown_run


@dataclass
class Case:
    """A change of the sound procedure and what it must be found as: code, place, run, words of the message."""

    name: str
    code: str
    place: str
    run: str = "submitted"
    says: str = ""
    level: str = "error"
    replace: tuple[tuple[str, str], ...] = ()
    parts: dict[str, str] = field(default_factory=dict)


ASSIGN = "assign: {role: [head], moves: [{from: [checked], to: drafted}]}"
RECEIVED = "submitted --receive--> checked"
DRAFTED = f"{RECEIVED} --assign--> drafted"
SIGNED = f"{DRAFTED} --sign--> signed"
ANSWERED = """
  answer: {role: [desk], moves: [{from: [checked]}]}
  ask: {role: [desk], moves: [{from: [checked]}]}
"""
PAUSING = """
  ask_more: {milestone: paused, pause: supplement, role: [officer], moves: [{from: [drafted], to: waiting}]}
  supplied: {milestone: resumed, pause: supplement, role: [desk], moves: [{from: [waiting], to: drafted}]}
"""
PAUSE = "pauses: {supplement: {at_most: 1, cap: {within: 30, counts: days}}}"
WAITING = "waiting: {role: citizen}\n  returned:"
AMOUNT = "registers: {amount: {type: money}, group: {type: text}, paid: {type: flag}, fee: {type: integer}}"


def guard(requires: str) -> tuple[tuple[str, str], ...]:
    """The sign action guarded by one predicate."""
    return (
        ("sign: {", "sign: {guards: [rule], "),
        ("limits:", f"guards: {{rule: {{requires: {requires}}}}}\nlimits:"),
    )


def with_actions(more: str) -> tuple[tuple[str, str], ...]:
    return (("actions:\n", "actions:" + more.rstrip() + "\n"),)


CASES = [
    Case(
        "state no move leads to",
        "unreachable",
        "states.spare",
        says="no move leads to it",
        replace=(("returned: {final", "spare: {}\n  returned: {final"),),
    ),
    Case(
        "state only the unreachable lead to",
        "unreachable",
        "states.other",
        says="only from spare",
        replace=(
            ("returned: {final", "spare: {}\n  other: {}\n  returned: {final"),
            *with_actions("\n  go: {role: [desk], moves: [{from: [spare], to: other}]}"),
        ),
    ),
    Case(
        "trap",
        "trap",
        "states.lost",
        f"{RECEIVED} --lose--> lost",
        "no end can be reached",
        replace=(
            ("returned: {final", "lost: {limit: {within: 1, counts: days}}\n  returned: {final"),
            *with_actions("\n  lose: {role: [desk], moves: [{from: [checked], to: lost}]}"),
        ),
    ),
    Case(
        "end that is none",
        "trap",
        "states.signed",
        SIGNED,
        replace=(("returned: {final: true}", "returned: {}"),),
    ),
    Case(
        "action without a role",
        "no-role",
        "actions.assign",
        DRAFTED,
        "anybody may do it",
        replace=((ASSIGN, ASSIGN.replace("role: [head], ", "")),),
    ),
    Case(
        "action without moves",
        "no-moves",
        "actions.note",
        says="has no moves",
        replace=with_actions("\n  note: {role: [desk], moves: []}"),
    ),
    Case(
        "two moves for one state and action",
        "two-moves",
        "actions.assign.moves.1",
        f"{RECEIVED} --assign--> signed",
        "moves 1 and 2",
        replace=((ASSIGN, ASSIGN.replace("drafted}]", "drafted}, {from: [checked], to: signed}]")),),
    ),
    Case(
        "any beside a named state",
        "two-moves",
        "actions.assign.moves.1",
        f"{RECEIVED} --assign--> drafted",
        replace=((ASSIGN, ASSIGN.replace("drafted}]", "drafted}, {from: any, to: drafted}]")),),
    ),
    Case(
        "followed to one of two",
        "ambiguous-follow",
        "actions.sign",
        "submitted --sign--> signed",
        "lead to signed, checked",
        replace=(
            (
                "{from: [drafted], to: signed}",
                "{from: [drafted], to: signed}, {from: [checked], to: checked}",
            ),
        ),
    ),
    Case(
        "followed elsewhere",
        "ambiguous-follow",
        "actions.sign.follow_to",
        "submitted --sign--> checked",
        replace=(("  sign: {", "  sign: {follow_to: checked, "),),
    ),
    Case(
        "state without a limit",
        "no-limit",
        "states.drafted",
        DRAFTED,
        "state drafted for ever",
        replace=((", limit: {within: 5, counts: days}", ""),),
    ),
    Case(
        "pause without a cap",
        "no-limit",
        "pauses.supplement",
        f"{DRAFTED} --ask_more--> waiting",
        "clock for ever",
        replace=(("returned:", WAITING), *with_actions(PAUSING)),
        parts={"pauses": "pauses: {supplement: {at_most: 1}}"},
    ),
    Case(
        "state held by the applicant",
        "no-limit",
        "states.waiting",
        f"{DRAFTED} --ask_more--> waiting",
        replace=(("returned:", WAITING), *with_actions(PAUSING)),
        parts={"pauses": "pauses: {supplement: {at_most: 1}}"},
    ),
    Case(
        "task without a limit",
        "no-limit",
        "states.checked.tasks.tax",
        f"{RECEIVED} --ask--> checked",
        replace=(
            ("checked: {", "checked: {tasks: {tax: {asked: ask, answered: answer}}, "),
            *with_actions(ANSWERED),
        ),
    ),
    Case("no limit of the whole", "no-limit", "limits", parts={"limits": ""}, says="no limit binds the end"),
    Case(
        "send-back without a cap",
        "no-cap",
        "actions.send_back",
        f"{SIGNED} --send_back--> drafted",
        "nothing caps send_back",
        replace=with_actions("\n  send_back: {role: [head], moves: [{from: [signed], to: drafted}]}"),
    ),
    Case(
        "pause without a number",
        "no-cap",
        "pauses.supplement",
        f"{DRAFTED} --ask_more--> waiting --supplied--> drafted --ask_more--> waiting",
        "any number of times",
        replace=(("returned:", WAITING), *with_actions(PAUSING)),
        parts={"pauses": "pauses: {supplement: {cap: {within: 30, counts: days}}}"},
    ),
    Case(
        "extension without a cap",
        "no-cap",
        "actions.extend",
        f"{DRAFTED} --extend--> drafted --extend--> drafted",
        "lengthen committed",
        replace=with_actions(
            "\n  extend: {role: [head], extends: {committed: 5}, moves: [{from: [drafted]}]}"
        ),
    ),
    Case(
        "steps longer than the whole",
        "sum-exceeds",
        "limits.committed",
        DRAFTED,
        "allows 6 (working_days), but the steps of one path take 7: checked 2 + drafted 5",
        replace=(("within: 10", "within: 6"),),
    ),
    Case(
        "steps longer for one value of a register",
        "sum-exceeds",
        "limits.committed",
        DRAFTED,
        "allows 5 (working_days), but the steps of one path take 7",
        replace=(("within: 10", "within: {register: group, values: {I: 10, II: 5}}"),),
        parts={"registers": AMOUNT},
    ),
    Case(
        "steps in another unit",
        "not-compared",
        "limits.committed",
        level="warning",
        says="limits of drafted count",
        replace=(
            ("{within: 5, counts: days}", "{within: 8, counts: hours}"),
            ("counting:\n", "counting:\n  hours: {unit: working_hours, reaching: in_time}\n"),
        ),
    ),
    Case(
        "committed longer than the law",
        "committed-longer",
        "limits.committed",
        says="10 (working_days), longer than 9",
        replace=(
            ("limits:\n", "limits:\n  law: {binds: {end: any}, within: 9, counts: days, date: statutory}\n"),
        ),
    ),
    Case(
        "committed and law in other units",
        "not-compared",
        "limits.committed",
        level="warning",
        says="they were not compared",
        replace=(
            (
                "limits:\n",
                "limits:\n  law: {binds: {end: any}, within: 9, counts: {unit: calendar_days, first_day: excluded, rest_day: rolls, reaching: in_time}, date: statutory}\n",
            ),
        ),
    ),
    Case(
        "two end limits without a headline",
        "no-headline",
        "limits.committed",
        says="headline is none",
        replace=(
            ("limits:\n", "limits:\n  law: {binds: {end: any}, within: 20, counts: days, date: statutory}\n"),
            (", headline: true", ""),
        ),
    ),
    Case(
        "two headlines",
        "no-headline",
        "limits.committed",
        says="headline is law, committed",
        replace=(
            ("limits:\n", "limits:\n  law: {binds: {end: any}, within: 20, counts: days, headline: true}\n"),
        ),
    ),
    Case(
        "day count without first_day",
        "counting-form",
        "counting.days",
        says="must say first_day",
        replace=(("first_day: excluded, ", ""),),
    ),
    Case(
        "calendar days without rest_day",
        "counting-form",
        "counting.days",
        says="must say rest_day",
        replace=(
            (
                "unit: working_days, first_day: excluded, rest_day: rolls",
                "unit: calendar_days, first_day: excluded",
            ),
        ),
    ),
    Case(
        "hours with rest_day",
        "counting-form",
        "counting.days",
        says="rest_day has no meaning for elapsed_hours",
        replace=(("unit: working_days, first_day: excluded", "unit: elapsed_hours"),),
    ),
    Case(
        "given date with cut_off",
        "counting-form",
        "counting.given",
        says="cut_off has no meaning",
        replace=(
            ("counting:\n", "counting:\n  given: {unit: given_date, reaching: late, cut_off: '15:00'}\n"),
        ),
    ),
    Case(
        "working days without a calendar",
        "no-calendar",
        "counting.days",
        replace=(("calendar: office\n", ""),),
    ),
    Case(
        "within of a given date",
        "limit-form",
        "limits.committed.within",
        says="say until",
        replace=(("unit: working_days, first_day: excluded, rest_day: rolls", "unit: given_date"),),
    ),
    Case(
        "until of a count",
        "limit-form",
        "limits.committed.until",
        says="count by given_date",
        replace=(("within: 10", "until: due"),),
        parts={"registers": "registers: {due: {type: date}}"},
    ),
    Case(
        "until of a register that is no date",
        "limit-form",
        "limits.committed.until",
        says="holds money",
        replace=(("within: 10, counts: days", "until: amount, counts: {unit: given_date, reaching: late}"),),
        parts={"registers": AMOUNT},
    ),
    Case(
        "neither within nor until",
        "limit-form",
        "limits.committed",
        says="exactly one of within and until",
        replace=(("within: 10, ", ""),),
    ),
    Case(
        "no day in time",
        "limit-form",
        "limits.committed.within",
        says="no day in time",
        replace=(("within: 10", "within: 0"), ("reaching: in_time", "reaching: late")),
    ),
    Case(
        "limit that binds nothing",
        "limit-form",
        "limits.committed",
        says="found none",
        replace=(("binds: {end: any}, ", ""), (", date: committed, headline: true", "")),
    ),
    Case(
        "limit that binds two things",
        "limit-form",
        "limits.committed",
        says="found state, end",
        replace=(("binds: {end: any}", "binds: {end: any, state: drafted}"),),
    ),
    Case(
        "anchor of two kinds",
        "limit-form",
        "limits.committed.from",
        says="found action, milestone",
        replace=(("within: 10", "within: 10, from: {action: receive, milestone: received}"),),
    ),
    Case(
        "step limit that binds",
        "limit-form",
        "states.drafted.limit",
        says="remove binds",
        replace=(("{within: 5,", "{within: 5, date: committed,"),),
    ),
    Case(
        "date of a limit that is none of the dossier's",
        "limit-form",
        "limits.law",
        says="only a limit of the end",
        replace=(
            (
                "limits:\n",
                "limits:\n  law: {binds: {state: drafted}, within: 9, counts: days, date: statutory}\n",
            ),
        ),
    ),
    Case(
        "pause without the milestone",
        "pause-form",
        "actions.supplied",
        says="go together",
        replace=(("returned:", WAITING), *with_actions(PAUSING.replace("milestone: resumed, ", ""))),
        parts={"pauses": PAUSE},
    ),
    Case(
        "pause of a task's name",
        "pause-form",
        "pauses.tax",
        says="a pause and a task",
        replace=(
            (
                "checked: {",
                "checked: {tasks: {tax: {asked: ask, answered: answer, limit: {within: 1, counts: days}}}, ",
            ),
            *with_actions(ANSWERED),
        ),
        parts={"pauses": "pauses: {tax: {cap: {within: 3, counts: days}}}"},
    ),
    Case(
        "pause that cannot be resumed",
        "no-resume",
        "pauses.supplement",
        f"{DRAFTED} --ask_more--> waiting",
        "no action can resume",
        replace=(
            ("returned:", WAITING),
            *with_actions(PAUSING.replace("milestone: resumed, pause: supplement, ", "")),
        ),
        parts={"pauses": PAUSE},
    ),
    Case(
        "next phase without phases",
        "resume-form",
        "pauses.supplement.on_resume",
        says="fewer than two phases",
        replace=(("returned:", WAITING), *with_actions(PAUSING)),
        parts={"pauses": PAUSE.replace("at_most", "on_resume: next_phase, at_most")},
    ),
    Case(
        "restart of no limit",
        "resume-form",
        "pauses.supplement.on_resume",
        says="no limit stops for it",
        replace=(
            ("returned:", WAITING),
            *with_actions(PAUSING),
            ("within: 10", "within: 10, stops_for: none"),
        ),
        parts={"pauses": PAUSE.replace("at_most", "on_resume: restart, at_most")},
    ),
    Case(
        "one action for two tasks",
        "task-form",
        "states.checked.tasks.tax.asked",
        says="stands for two things",
        replace=(
            (
                "checked: {",
                "checked: {tasks: {tax: {asked: ask, answered: ask, limit: {within: 1, counts: days}}}, ",
            ),
            *with_actions(ANSWERED),
        ),
    ),
    Case(
        "task action that cannot take place",
        "task-form",
        "states.drafted.tasks.tax.asked",
        says="no move from its state drafted",
        replace=(
            (
                "drafted: {",
                "drafted: {tasks: {tax: {asked: ask, answered: answer, limit: {within: 1, counts: days}}}, ",
            ),
            *with_actions(ANSWERED),
        ),
    ),
    Case(
        "predicate of two things",
        "predicate-form",
        "guards.rule.requires",
        says="found role, documents",
        replace=guard("{role: [head], documents: [plan]}"),
    ),
    Case(
        "empty predicate",
        "predicate-form",
        "guards.rule.requires.any.0",
        says="found none",
        replace=guard("{any: [{}]}"),
    ),
    Case(
        "operand of two things",
        "predicate-form",
        "guards.rule.requires.present",
        says="found register, data",
        replace=guard("{present: {register: amount, data: amount}}"),
        parts={"registers": AMOUNT},
    ),
    Case(
        "constant of another type",
        "constant-type",
        "guards.rule.requires.at_least.1",
        says="type money, as register amount holds, found many",
        replace=guard("{at_least: [{register: amount}, many]}"),
        parts={"registers": AMOUNT},
    ),
    Case(
        "one of other constants",
        "constant-type",
        "guards.rule.requires.one_of.in.1",
        says="found 1.5",
        replace=guard("{one_of: {value: {register: fee}, in: ['1', '1.5']}}"),
        parts={"registers": AMOUNT},
    ),
    Case(
        "initial value of another type",
        "constant-type",
        "registers.amount.initial",
        says="found none",
        parts={"registers": "registers: {amount: {type: money, initial: none}}"},
    ),
    Case(
        "choice by another type",
        "constant-type",
        "limits.committed.within.values.II",
        says="found II",
        replace=(("within: 10", "within: {register: fee, values: {'1': 10, II: 9}}"),),
        parts={"registers": AMOUNT},
    ),
    Case(
        "comparison of two types",
        "mixed-types",
        "guards.rule.requires",
        says="amount (money), group (text)",
        replace=guard("{equals: [{register: amount}, {register: group}]}"),
        parts={"registers": AMOUNT},
    ),
    Case(
        "two constants",
        "mixed-types",
        "guards.rule.requires",
        says="two constants",
        replace=guard("{equals: [a, b]}"),
    ),
    Case(
        "order of texts",
        "mixed-types",
        "guards.rule.requires",
        says="text has no order",
        replace=guard("{less_than: [{register: group}, b]}"),
        parts={"registers": AMOUNT},
    ),
    Case(
        "sum of texts",
        "mixed-types",
        "sums.owed.1",
        says="cannot be added up",
        parts={"registers": AMOUNT, "sums": "sums: {owed: [amount, group]}"},
    ),
    Case(
        "sum kept of texts",
        "mixed-types",
        "registers.notes",
        says="keeps a sum",
        parts={"registers": "registers: {notes: {type: text, keep: sum}}"},
    ),
    Case(
        "end that asks an event",
        "end-asks-event",
        "ends.returned.requires.0",
        f"{SIGNED} --return--> returned",
        says="asks an event for documents, data",
        replace=guard("{all: [{documents: [plan]}, {present: {data: amount}}]}"),
        parts={"registers": AMOUNT, "ends": "ends: {returned: {requires: [rule]}}"},
    ),
    Case(
        "end that asks for two people",
        "end-asks-event",
        "ends.returned.requires.0",
        f"{SIGNED} --return--> returned",
        says="asks an event for four_eyes",
        replace=guard("{four_eyes: [assign, sign]}"),
        parts={"ends": "ends: {returned: {requires: [rule]}}"},
    ),
    Case(
        "register nothing can change",
        "never-changes",
        "registers.group.initial",
        DRAFTED,
        "no event changes it",
        parts={"registers": "registers: {group: {type: text, keep: first, initial: a, actions: [assign]}}"},
    ),
    Case(
        "register no action tells and nothing can change",
        "never-changes",
        "registers.group.initial",
        RECEIVED,
        "keeps the first value and has an initial one",
        parts={"registers": "registers: {group: {type: text, keep: first, initial: a}}"},
    ),
    Case("unknown zone", "unknown-zone", "zone", replace=(("Asia/Ho_Chi_Minh", "Asia/Cantho"),)),
    Case("zone that is a path", "unknown-zone", "zone", replace=(("Asia/Ho_Chi_Minh", "../../etc/passwd"),)),
    Case(
        "sample with an approval",
        "sample-approved",
        "approval",
        parts={"approval": "approval: {document: QT-01, decision: 1/QĐ, decided_on: 2025-01-01}"},
    ),
    Case(
        "approved without an approval",
        "not-approved",
        "figures",
        replace=(("figures: sample", "figures: approved"),),
    ),
    Case(
        "approved with a sample headline",
        "sample-headline",
        "limits.committed",
        parts={"approval": "approval: {document: QT-01, decision: 1/QĐ, decided_on: 2025-01-01}"},
        replace=(
            ("figures: sample", "figures: approved"),
            ("headline: true}", "headline: true, figures: sample}"),
        ),
    ),
    Case(
        "approved with a sample as the only limit of its end",
        "sample-headline",
        "limits.committed",
        parts={"approval": "approval: {document: QT-01, decision: 1/QĐ, decided_on: 2025-01-01}"},
        replace=(("figures: sample", "figures: approved"), (", headline: true}", ", figures: sample}")),
    ),
    Case(
        "approved with a sample step",
        "sample-limit",
        "states.drafted.limit",
        level="warning",
        parts={"approval": "approval: {document: QT-01, decision: 1/QĐ, decided_on: 2025-01-01}"},
        replace=(
            ("figures: sample", "figures: approved"),
            ("within: 5, counts: days", "within: 5, counts: days, figures: sample"),
        ),
    ),
    Case(
        "dates in reverse",
        "dates-reversed",
        "effective",
        parts={"effective": "effective: {from: 2025-02-01, to: 2025-01-01}"},
    ),
    Case(
        "guard nothing uses",
        "unused",
        "guards.rule",
        level="warning",
        parts={"guards": "guards: {rule: {requires: {role: [head]}}}"},
    ),
    Case(
        "accepted but not found",
        "unused-accept",
        "accepts.no-role",
        level="warning",
        parts={"accepts": "accepts: {no-role: none}"},
    ),
    Case(
        "accepted though it may not be",
        "not-acceptable",
        "accepts.trap",
        parts={"accepts": "accepts: {trap: we know}"},
    ),
    Case(
        "accepted without a reason",
        "not-acceptable",
        "accepts.no-role",
        says="without a reason",
        parts={"accepts": "accepts: {no-role: ' '}"},
    ),
]


def changed(case: Case) -> str:
    parts = {**SOUND, **case.parts}
    source = text(**parts)
    for old, new in case.replace:
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_finds(case: Case) -> None:
    revision = read(changed(case))
    found = {(finding.code, finding.place): finding for finding in check(revision)}
    assert (case.code, case.place) in found, list(found)
    finding = found[case.code, case.place]
    assert finding.level == case.level
    assert case.says in str(finding)
    assert shown_run(revision, finding.trace) == case.run


@pytest.mark.parametrize(
    ("where", "old", "new", "section"),
    [
        ("initial", "initial: submitted", "initial: nowhere", "states"),
        ("actions.assign.moves.0.from.0", "from: [checked]", "from: [nowhere]", "states"),
        ("actions.assign.moves.0.to", "to: drafted", "to: nowhere", "states"),
        ("actions.assign.moves.0.guards.0", "to: drafted", "to: drafted, guards: [nowhere]", "guards"),
        ("actions.assign.guards.0", "assign: {", "assign: {guards: [nowhere], ", "guards"),
        ("actions.assign.follow_to", "assign: {", "assign: {follow_to: nowhere, ", "states"),
        ("actions.assign.pause", "assign: {", "assign: {milestone: paused, pause: nowhere, ", "pauses"),
        ("actions.assign.extends.nowhere", "assign: {", "assign: {extends: {nowhere: 1}, ", "limits"),
        ("states.checked.guards.0", "checked: {", "checked: {guards: [nowhere], ", "guards"),
        ("states.checked.limit.counts", "within: 2, counts: days", "within: 2, counts: nowhere", "counting"),
        ("states.checked.tasks.t.asked", "checked: {", "checked: {tasks: {t: {asked: nowhere, answered: assign}}, ", "actions"),
        ("states.checked.tasks.t.recalled", "checked: {", "checked: {tasks: {t: {asked: assign, answered: sign, recalled: nowhere}}, ", "actions"),
        ("limits.committed.counts", "within: 10, counts: days", "within: 10, counts: nowhere", "counting"),
        ("limits.committed.until", "within: 10", "until: nowhere", "registers"),
        ("limits.committed.within.register", "within: 10", "within: {register: nowhere, values: {a: 1}}", "registers"),
        ("limits.committed.stops_for.0", "within: 10", "within: 10, stops_for: [nowhere]", "pauses or tasks"),
        ("limits.committed.from.action", "within: 10", "within: 10, from: {action: nowhere}", "actions"),
        ("limits.committed.from.entering", "within: 10", "within: 10, from: {entering: nowhere}", "states"),
        ("limits.committed.binds.action", "end: any", "action: nowhere", "actions"),
        ("limits.committed.binds.actions.0", "end: any", "actions: [nowhere]", "actions"),
        ("limits.committed.binds.state", "end: any", "state: nowhere", "states"),
        ("limits.committed.binds.phase", "end: any", "phase: nowhere", "phases"),
        ("limits.committed.binds.end.0", "end: any", "end: [nowhere]", "states"),
    ],
)  # fmt: skip
def test_finds_a_name_that_is_not_declared(where: str, old: str, new: str, section: str) -> None:
    assert old in text()
    _assert_undeclared(read(text().replace(old, new, 1)), where, section)


@pytest.mark.parametrize(
    ("where", "parts", "section"),
    [
        ("registers.r.actions.0", "registers: {r: {type: text, actions: [nowhere]}}", "actions"),
        ("sums.s.0", "sums: {s: [nowhere]}", "registers"),
        ("pauses.p.cap.counts", "pauses: {p: {cap: {within: 1, counts: nowhere}}}", "counting"),
        ("phases.p.starts.0", "phases: {p: {starts: [nowhere]}}", "actions"),
        ("phases.p.ends.0", "phases: {p: {starts: [sign], ends: [nowhere]}}", "actions"),
        ("ends.nowhere", "ends: {nowhere: {}}", "states"),
        ("ends.signed.requires.0", "ends: {signed: {requires: [nowhere]}}", "guards"),
        ("guards.g.requires.four_eyes.1", "guards: {g: {requires: {four_eyes: [sign, nowhere]}}}", "actions"),
        ("guards.g.requires.times.action", "guards: {g: {requires: {times: {action: nowhere, fewer_than: 1}}}}", "actions"),
        ("guards.g.requires.after_state.0", "guards: {g: {requires: {after_state: [nowhere]}}}", "states"),
        ("guards.g.requires.before_state.0", "guards: {g: {requires: {before_state: [nowhere]}}}", "states"),
        ("guards.g.requires.limit_passed", "guards: {g: {requires: {limit_passed: nowhere}}}", "limits"),
        ("guards.g.requires.within.after", "guards: {g: {requires: {within: {number: 1, counts: days, after: nowhere}}}}", "actions"),
        ("guards.g.requires.within.counts", "guards: {g: {requires: {within: {number: 1, counts: nowhere, after: sign}}}}", "counting"),
        ("guards.g.requires.not.present.register", "guards: {g: {requires: {not: {present: {register: nowhere}}}}}", "registers"),
        ("guards.g.requires.all.0.equals.0.data", "guards: {g: {requires: {all: [{equals: [{data: nowhere}, a]}]}}}", "registers"),
        ("guards.g.requires.any.0.one_of.value.sum", "guards: {g: {requires: {any: [{one_of: {value: {sum: nowhere}, in: [a]}}]}}}", "sums"),
        ("guards.g.requires.at_most.1.sum.0", "guards: {g: {requires: {at_most: ['1', {sum: [nowhere]}]}}}", "registers"),
    ],
)  # fmt: skip
def test_finds_a_name_that_is_not_declared_in_other_sections(where: str, parts: str, section: str) -> None:
    _assert_undeclared(procedure(more=parts), where, section)


def _assert_undeclared(revision: object, where: str, section: str) -> None:
    found = {finding.place: finding for finding in check(revision) if finding.code == "undeclared"}  # type: ignore[arg-type]
    assert list(found) == [where]
    assert found[where].level == "error"
    assert found[where].values["section"] == section
    assert found[where].values["name"] == "nowhere"


def test_a_misspelt_state_is_found_alone_and_not_what_follows_it_too() -> None:
    assert _codes(text().replace("to: drafted", "to: draftd")) == ["undeclared"]


def test_a_revision_without_a_last_day_is_followed_without_being_edited() -> None:
    second = read(text(effective="effective: {from: 2025-07-01}").replace('revision: "1"', 'revision: "2"'))
    dated = procedure(effective="effective: {from: 2025-01-01}")
    assert check_all([procedure(), second]) == check_all([dated, second]) == ()
    together = procedure(effective="effective: {from: 2025-07-01}")
    assert [(finding.code, str(finding)) for finding in check_all([together, second])] == [
        ("overlap", "procedure 1.004220: 1 and 2 both begin on 2025-07-01; a receipt needs one revision")
    ]


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"basis": ""}, ["limits.committed", "states.checked.limit"]),
        ({"basis": "basis: Land Law 2024 art. 5"}, []),
        ({"basis": "basis: {vi: 'Luật Đất đai, Điều 5', en: Land Law art. 5}"}, []),
        ({"basis": "basis: {vi: '', en: Land Law art. 5}"}, ["limits.committed", "states.checked.limit"]),
    ],
)
def test_statutory_figures_name_a_law(parts: dict[str, str], found: list[str]) -> None:
    source = text(**parts).replace("days, date", "days, figures: statutory, date")
    source = source.replace("within: 2, counts: days", "within: 2, counts: days, figures: statutory")
    findings = [finding for finding in check(read(source)) if finding.code == "no-basis"]
    assert sorted(finding.place for finding in findings) == found
    assert all(finding.level == "error" for finding in findings)


def test_a_limit_may_name_its_own_law_and_a_statutory_revision_speaks_for_its_limits() -> None:
    named = text().replace("days, date", "days, figures: statutory, basis: Land Law 2024 art. 5, date")
    assert _codes(named) == []
    whole = text().replace("figures: sample", "figures: statutory")
    assert set(_codes(whole)) == {"no-basis"}


def test_the_sound_procedure_has_no_findings() -> None:
    assert check(procedure()) == ()


SEND_BACK = "\n  send_back: {role: [head], guards: [once], moves: [{from: [signed], to: drafted}]}"


@pytest.mark.parametrize(
    "requires",
    [
        "{times: {action: send_back, fewer_than: 2}}",
        "{all: [{role: [head]}, {times: {action: send_back, fewer_than: 2}}]}",
        "{times: {action: sign, fewer_than: 3}}",
    ],
)
def test_a_loop_is_capped_by_counting_an_action_it_always_goes_by(requires: str) -> None:
    source = text(guards=f"guards: {{once: {{requires: {requires}}}}}")
    assert _codes(source.replace("actions:", "actions:" + SEND_BACK)) == []


@pytest.mark.parametrize(
    "requires",
    [
        "{any: [{role: [head]}, {times: {action: send_back, fewer_than: 2}}]}",
        "{times: {action: assign, fewer_than: 2}}",
    ],
)
def test_a_loop_is_not_capped_by_a_choice_or_by_an_action_outside(requires: str) -> None:
    source = text(guards=f"guards: {{once: {{requires: {requires}}}}}")
    assert _codes(source.replace("actions:", "actions:" + SEND_BACK)) == ["no-cap"]


def test_a_pause_with_number_and_cap_leaves_nothing_open() -> None:
    source = text(pauses=PAUSE).replace("returned:", WAITING).replace("actions:\n", "actions:" + PAUSING)
    assert _codes(source) == []


def test_a_stay_while_the_clock_stands_is_not_added_up() -> None:
    waiting = WAITING.replace("role: citizen", "role: citizen, limit: {within: 30, counts: days}")
    source = text(pauses=PAUSE).replace("returned:", waiting).replace("actions:\n", "actions:" + PAUSING)
    assert _codes(source) == []
    assert _codes(source.replace("within: 10", "within: 10, stops_for: none")) == ["sum-exceeds"]


def test_a_published_sum_of_18_under_17_is_found() -> None:
    states = "states:\n  s0: {}\n" + "".join(
        f"  s{i}: {{limit: {{within: {days}, counts: days}}}}\n" for i, days in enumerate((1, 10, 5, 1, 1), 1)
    )
    actions = "actions:\n" + "".join(
        f"  a{i}: {{role: [r], moves: [{{from: [s{i}], to: s{i + 1}}}]}}\n" for i in range(5)
    )
    source = text(
        states=states + "  s6: {final: true}\n",
        actions=actions + "  a5: {role: [r], moves: [{from: [s5], to: s6}]}\n",
    )
    source = (
        source.replace("a0: {", "a0: {milestone: received, ")
        .replace("within: 10,", "within: 10, ")
        .replace("submitted", "s0")
    )
    whole = source.replace("binds: {end: any}, within: 10, ", "binds: {end: any}, within: 17,")
    finding = next(f for f in check(read(whole)))
    assert (finding.code, finding.values["sum"], finding.values["allowed"]) == ("sum-exceeds", 18, 17)
    assert finding.values["steps"] == "s1 1 + s2 10 + s3 5 + s4 1 + s5 1"


@pytest.mark.parametrize("key", ["no-role", "no-role/actions.assign"])
def test_an_accepted_error_keeps_its_reason(key: str) -> None:
    source = text(accepts=f"accepts: {{{key}: the log names no roles}}").replace(
        ASSIGN, ASSIGN.replace("role: [head], ", "")
    )
    (finding,) = check(read(source))
    assert (finding.level, finding.because) == ("accepted", "the log names no roles")


def test_accepting_one_place_leaves_the_others() -> None:
    source = text(accepts="accepts: {no-role/actions.assign: known}").replace("role: [head], ", "")
    assert [(f.place, f.level) for f in check(read(source)) if f.code == "no-role"] == [
        ("actions.assign", "accepted"),
        ("actions.sign", "error"),
    ]


def test_an_unsound_procedure_is_refused_with_its_first_error_and_the_run_to_it() -> None:
    unsound = read(text().replace(", limit: {within: 5, counts: days}", ""))
    with pytest.raises(UnsoundProcedure, match=r"p\.yaml: 1 errors, the first: .*states\.drafted") as caught:
        require_sound([unsound], Path("p.yaml"))
    assert DRAFTED in str(caught.value)
    told = message(caught.value, translator("vi"))
    assert "p.yaml: 1 lỗi, lỗi đầu: 1.004220 1: states.drafted: " in told
    assert DRAFTED in told
    assert not re.search("expected|limit|state ", told.replace("dunghen procedure check", ""))
    require_sound([procedure()], Path("p.yaml"))


def test_a_procedure_nobody_could_read_is_refused_before_its_paths_are_searched() -> None:
    states = "states:\n  submitted: {}\n" + "".join(f"  s{i}: {{}}\n" for i in range(STATES_MAX))
    whole = read(text(states=states))
    with counted() as effort:
        found = check(whole)
    assert [(f.code, f.place) for f in found] == [("too-large", "states")]
    assert effort.calls < 100


@pytest.mark.slow  # the effort is counted call by call, which makes it dear
def test_a_dense_procedure_is_checked_in_bounded_time_and_says_what_it_left_out() -> None:
    names = [f"s{i}" for i in range(40)]
    states = "states:\n  submitted: {}\n  done: {final: true}\n" + "".join(
        f"  {name}: {{limit: {{within: 1, counts: days}}}}\n" for name in names
    )
    actions = (
        "actions:\n  receive: {milestone: received, role: [r], moves: [{from: [submitted], to: s0}]}\n"
        + "".join(
            f"  to_{name}: {{role: [r], moves: [{{from: [{', '.join(names)}], to: {name}}}]}}\n"
            for name in names
        )
        + "  end: {milestone: returned, role: [r], moves: [{from: [s39], to: done}]}\n"
    )
    with counted() as effort:
        codes = _codes(text(states=states, actions=actions))
    assert "not-compared" in codes
    assert effort.calls < 10_000_000


EFFECTIVE = [
    ("2025-01-01, to: 2025-06-30", "2025-07-01", []),
    ("2025-01-01, to: 2025-06-30", "2025-07-02", ["gap"]),
    ("2025-01-01, to: 2025-06-30", "2025-06-30", ["overlap"]),
    ("2025-01-01", "2025-07-01", []),
    ("2025-07-01, to: 2025-12-31", "2025-07-01", ["overlap"]),
    ("2025-07-01, to: 2025-12-31", "2026-01-01", []),
]


@pytest.mark.parametrize(("first", "second", "codes"), EFFECTIVE)
def test_revisions_follow_each_other_day_by_day(first: str, second: str, codes: list[str]) -> None:
    one = procedure(effective=f"effective: {{from: {first}}}")
    two = read(text(effective=f"effective: {{from: {second}}}").replace('revision: "1"', 'revision: "2"'))
    found = check_all([two, one])
    assert [finding.code for finding in found] == codes
    assert all(finding.where == ("1.004220", "2", "effective") for finding in found)


def test_several_revisions_need_dates_and_numbers_of_their_own() -> None:
    assert [(f.code, f.level) for f in check_all([procedure(), procedure()])] == [
        ("no-dates", "error"),
        ("repeated-revision", "error"),
    ]
    assert check_all([procedure(), read(text().replace("1.004220", "1.004221"))]) == ()


def _codes(source: str) -> list[str]:
    return [finding.code for finding in check(read(source))]
