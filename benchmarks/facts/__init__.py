"""The bundled facts about models and tasks, made from published tables: python -m benchmarks.facts."""
