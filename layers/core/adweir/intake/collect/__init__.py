"""From a task to its raw object: planning, pulling, polling, and what becomes of a task that fails."""
