"""Peers on the fines log: order alone, which is all they judge. Each runs in a process of its own.

`python peers.py pm4py|r4pm LOG NET` prints seconds and fitting dossiers as JSON. pm4py is AGPL-3: it is measured here
and used nowhere else. The net's silent transitions are named `Inv...`, and its final marking is its one sink.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

COLUMNS = {"case": "case:concept:name", "activity": "concept:name", "date": "time:timestamp"}


def replayed(log: Path, net: Path) -> tuple[float, int]:
    """pm4py's token replay of every dossier: seconds from the file on, and how many fit."""
    pd, pm4py = import_module("pandas"), import_module("pm4py")

    began = time.perf_counter()
    frame = pd.read_csv(log, usecols=list(COLUMNS), keep_default_na=False).rename(columns=COLUMNS)
    frame["time:timestamp"] = pd.to_datetime(frame["time:timestamp"], utc=True)
    model, start, _ = pm4py.read_pnml(str(net))
    for silent in (one for one in model.transitions if one.label.startswith("Inv")):
        silent.label = None
    end = type(start)({place: 1 for place in model.places if not place.out_arcs})
    found = pm4py.conformance_diagnostics_token_based_replay(frame, model, start, end)
    return time.perf_counter() - began, sum(one["trace_is_fit"] for one in found)


def aligned(log: Path, net: Path) -> tuple[float, int]:
    """r4pm's exact alignments by variant: seconds from the file on, and how many dossiers cost nothing."""
    pl, r4pm = import_module("polars"), import_module("r4pm")

    began = time.perf_counter()
    frame = pl.read_csv(log, columns=list(COLUMNS), try_parse_dates=True).rename(COLUMNS)
    frame = frame.with_columns(pl.col("time:timestamp").cast(pl.Datetime("ms", "UTC")))
    projection = r4pm.bindings.log_to_activity_projection(r4pm.import_item_from_df("EventLog", frame))
    model = r4pm.petri_net.import_pnml(str(net))
    for transition in model["transitions"].values():
        if transition["label"].startswith("Inv"):
            transition["label"] = None
    used = {arc["from_to"]["nodes"][0] for arc in model["arcs"]}
    model["final_markings"] = [{place: 1} for place in model["places"] if place not in used]
    found = r4pm.bindings.align_variants(model, projection)
    fitting = sum(one["frequency"] for one in found if _costs_nothing(one["result"]))
    return time.perf_counter() - began, fitting


def _costs_nothing(result: dict[str, dict[str, float]]) -> bool:
    return "Ok" in result and result["Ok"]["cost"] == 0


if __name__ == "__main__":
    peer = {"pm4py": replayed, "r4pm": aligned}[sys.argv[1]]
    seconds, fitting = peer(Path(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps({"seconds": seconds, "fitting": fitting}))
