"""Running a fleet: instances, watching, the inline engine, the runner."""
