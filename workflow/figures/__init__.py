"""Figures counted over many dossiers, each with what it was divided by."""
