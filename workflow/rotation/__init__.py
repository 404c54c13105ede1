"""Rotation: what officers' facts say, which posts have to be left, and what is said of it."""
