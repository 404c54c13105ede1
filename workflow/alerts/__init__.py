"""Alerts: which of them stand at a moment, whom they go to, and what must be told of them."""
