"""The bundled facts about models and tasks, made from published tables."""
