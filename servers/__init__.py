"""Real Kafka and real PostgreSQL for tests and for trying things, never for work: not part of what is installed."""
