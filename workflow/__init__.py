"""Dunghen: dossiers handled on time and by the approved procedure.

Facts are appended, judgments are derived. This package is the pure core and its thin shells;
`consumers` brings facts in and sends messages out, `processes` holds the approved definitions.
"""
