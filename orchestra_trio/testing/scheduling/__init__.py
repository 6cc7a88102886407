"""Schedules: which of the tasks that are ready runs next, decided for trio, recorded, shrunk and replayed."""
