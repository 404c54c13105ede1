"""Channels: alerts by signed webhook and by mail, each delivery under an id that stays."""
