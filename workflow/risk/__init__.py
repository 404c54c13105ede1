"""The risk that an open dossier misses its date, and how well it foretold."""
