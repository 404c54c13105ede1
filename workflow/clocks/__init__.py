"""Clocks: what counts as time, how a limit counts it, and what it comes to for one dossier."""
