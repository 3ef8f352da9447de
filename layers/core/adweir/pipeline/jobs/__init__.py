"""Jobs: stored, checked, put on EventBridge Scheduler, and started when they fire."""
