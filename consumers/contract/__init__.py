"""The event contract: what a message may say, its limits, its refusals, and the schemas generated from it."""
