"""The department's procedures as they stand in the repository: complete, sound, alike, and walkable from end to end."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
import walks
import yaml
from department import FILES, FOLDER, REVISIONS, ZONE, rules_of
from places import ROOT

from workflow.facts import Acted
from workflow.fold import fold, judgment_bytes
from workflow.organisation import read_organisation, units_of_kind
from workflow.procedure.checks import check, check_all
from workflow.procedure.references import placed_limits
from workflow.sources import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.procedure.language import Limit, Revision

ROWS = {
    1: ("land/land-allocation",),
    2: ("land/land-use-change",),
    3: ("land/first-registration",),
    4: ("land/certificate-from-developer",),
    5: ("land/land-transfer",),
    6: ("land/attached-assets",),
    7: ("land/parcel-split-merge",),
    8: ("land/certificate-exchange",),
    9: ("land/certificate-reissue-lost",),
    10: ("land/mortgage-registration",),
    11: ("environment/eia-appraisal",),
    12: ("environment/environmental-change",),
    13: ("environment/1.010727",),
    14: ("minerals-water/mineral-exploration",),
    15: ("minerals-water/mineral-exploitation",),
    16: ("minerals-water/groundwater-licence",),
    17: ("minerals-water/hydromet-forecast-licence", "minerals-water/1.000943"),
    18: ("data/1.004237",),
    19: ("inspectorate/first-complaint",),
    20: ("inspectorate/denunciation",),
    21: ("inspectorate/petition",),
    22: ("feedback/regulation-feedback", "feedback/harassment-feedback"),
}
"""The rows of the department's list, and the files that model them."""

STATUSES = {
    1: ("submit", None),
    2: ("receive", "received"),
    3: ("refuse_receipt", "rejected"),
    5: ("request_supplement", "paused"),
    6: ("request_payment", "paused"),
    7: ("withdraw", "withdrawn"),
    8: ("stop_processing", "stopped"),
    9: ("issue", "issued"),
    10: ("return_result", "returned"),
}
"""The portal's statuses by the action that reports each. Status 4, in process, is the generic procedure's own."""

EVERY = pytest.mark.parametrize("revision", REVISIONS.values(), ids=REVISIONS)
MODELLED = pytest.mark.parametrize(
    "revision",
    [r for r in REVISIONS.values() if not r.generic],
    ids=[n for n in REVISIONS if n != "generic/1"],
)


def test_every_row_of_the_departments_list_has_its_files_and_no_file_is_without_a_row() -> None:
    files = sorted(str(path.relative_to(FOLDER)).removesuffix(".yaml") for path in FILES)

    assert list(ROWS) == list(range(1, 23))
    assert sorted(name for names in ROWS.values() for name in names) == files


def test_a_file_is_named_after_the_procedure_it_holds() -> None:
    for path, revisions in FILES.items():
        assert {revision.procedure for revision in revisions} == {path.name.removesuffix(".yaml")}


@EVERY
def test_passes_every_check(revision: Revision) -> None:
    assert [str(finding) for finding in check(revision) if finding.level == "error"] == []


def test_hours_and_days_of_mortgage_registration_are_the_only_sums_left_uncompared() -> None:
    warned = {
        f"{r.procedure}/{r.revision}": [f.code for f in check(r) if f.level == "warning"]
        for r in REVISIONS.values()
    }

    assert {name: codes for name, codes in warned.items() if codes} == {
        "mortgage-registration/2021": ["not-compared", "not-compared"]
    }


def test_the_published_steps_that_exceed_their_whole_are_shown_and_accepted() -> None:
    accepted = [f.code for f in check(REVISIONS["parcel-split-merge/2021"]) if f.level == "accepted"]

    assert accepted.count("sum-exceeds") == 2


def test_revisions_of_one_procedure_follow_each_other_without_gap_or_overlap() -> None:
    assert check_all(REVISIONS.values()) == ()


@EVERY
def test_claims_no_approval(revision: Revision) -> None:
    assert revision.figures == "sample"
    assert revision.approval is None


@EVERY
def test_every_limit_names_its_source_or_is_sample(revision: Revision) -> None:
    for placed in placed_limits(revision):
        limit: Limit = placed.limit
        assert limit.figures == ("statutory" if limit.basis else "sample"), placed.where


def test_every_legal_basis_is_said_in_both_languages() -> None:
    said = {
        (vi, en)
        for path in (ROOT / "processes").rglob("*.yaml")
        if path.parent.name != "calendars"
        for vi, en in _bases(list(yaml.load_all(path.read_bytes(), yaml.BaseLoader)))
    }

    assert len(said) > 30
    for vi, en in said:
        assert re.search(r"(?i)Luật|Nghị định|Thông tư|Thông báo|Chỉ thị|Cổng|Thủ tục|Cách làm|nộp", vi), vi
        assert not re.search(r"(?i)Law\b|Decree|Circular|art\.", vi), vi
        assert not re.search(r"(?i)Luật|Nghị|Điều|khoản", re.sub("kịp thời luân chuyển", "", en)), en
        # The same numbers of laws, articles and clauses in both.
        assert sorted(re.findall(r"\d+", vi)) == sorted(re.findall(r"\d+", en)), (vi, en)


def _bases(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _bases(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "basis":
                yield one["vi"], one["en"]
            else:
                yield from _bases(one)


@MODELLED
def test_is_run_by_a_kind_of_unit_the_organisation_has(revision: Revision) -> None:
    organisation = read_organisation(ROOT / "processes" / "organisation" / "can-tho.yaml")

    for kind in revision.units:
        assert units_of_kind(organisation, kind, date(2021, 5, 20)) != ()


@EVERY
def test_tells_the_portals_statuses_by_the_same_actions_and_milestones(revision: Revision) -> None:
    missing = set()
    for status, (action, milestone) in STATUSES.items():
        declared = revision.actions.get(action)
        if declared is None:
            missing.add(status)
        else:
            assert declared.milestone == milestone

    assert missing <= {5, 6}


def test_one_name_of_an_action_or_state_means_one_thing_in_all_procedures() -> None:
    milestones: dict[str, set[object]] = {}
    finals: dict[str, set[bool]] = {}
    for revision in REVISIONS.values():
        for name, action in revision.actions.items():
            milestones.setdefault(name, set()).add((action.milestone, bool(action.extends)))
        for name, state in revision.states.items():
            finals.setdefault(name, set()).add(state.final)

    assert {name: found for name, found in milestones.items() if len(found) > 1} == {}
    assert {name: found for name, found in finals.items() if len(found) > 1} == {}


@EVERY
def test_people_read_every_name_in_vietnamese_and_english(revision: Revision) -> None:
    parts: list[Any] = [*revision.states.values(), *revision.actions.values(), *revision.pauses.values()]
    parts += [*revision.guards.values(), *revision.registers.values(), *revision.phases.values()]
    parts += [
        *revision.limits.values(),
        *(task for s in revision.states.values() for task in s.tasks.values()),
    ]

    for part in parts:
        assert part.name is not None
        assert part.name.vi.strip()
        assert part.name.en.isascii()


@EVERY
def test_each_action_can_be_taken_on_a_walk_that_breaks_no_rule(revision: Revision) -> None:
    rules = rules_of(f"{revision.procedure}/{revision.revision}")
    since = revision.effective.since if revision.effective else date(2021, 3, 1)
    begun = datetime.combine(max(since, date(2021, 3, 1)), time(8), ZONE)

    found = walks.walks_through(rules, begun)
    assert set(found) == set(revision.actions)
    for action, walk in found.items():
        judged = fold(rules, walks.SUBJECT, list(reversed(walk.facts)))
        assert {outcome.status for outcome in judged.outcomes} == {"applied"}
        assert walks.broken(tuple(v for o in judged.outcomes for v in o.violations)) == []
        assert action in [fact.body.action for fact in walk.facts if isinstance(fact.body, Acted)]


@EVERY
def test_a_dossier_can_be_returned_with_nothing_broken_at_all(revision: Revision) -> None:
    rules = rules_of(f"{revision.procedure}/{revision.revision}")
    since = revision.effective.since if revision.effective else date(2021, 3, 1)
    begun = datetime.combine(max(since, date(2021, 3, 1)), time(8), ZONE)

    walk = walks.main_walk(rules, begun)

    judged = fold(rules, walks.SUBJECT, walk.facts)
    assert judged.dossier.state == "returned"
    assert walks.broken(tuple(v for o in judged.outcomes for v in o.violations)) == []
    assert judgment_bytes(judged) == judgment_bytes(fold(rules, walks.SUBJECT, walk.facts[::-1]))


@pytest.mark.parametrize("source", ["portal-whole", "ministry-flow"])
def test_a_code_known_from_memory_stands_as_sample_in_the_lists_of_sources_that_tell_codes(
    source: str,
) -> None:
    remembered = {
        code: path.stem
        for path in FILES
        for code in re.findall(r"from memory, not verified: (\S+?)\.\s", path.read_text("utf-8"))
    }
    path = ROOT / "processes" / "sources" / f"{source}.yaml"
    (heading,) = re.findall(r"^  procedures:.*", path.read_text("utf-8"), re.MULTILINE)

    assert len(remembered) == 6
    assert dict(read_source(path).codes.procedures) == remembered
    assert "sample" in heading


def test_the_page_lists_every_file_and_shows_the_pictured_procedure_as_it_is() -> None:
    page = (ROOT / "docs" / "department.md").read_text(encoding="utf-8")
    picture = (ROOT / "docs" / "eia-appraisal.svg").read_text(encoding="utf-8")

    for path in FILES:
        assert path.name.removesuffix(".yaml") in page
    for state in REVISIONS["eia-appraisal/2022"].states.values():
        assert state.name is not None
        assert all(word in picture for word in state.name.en.split())
