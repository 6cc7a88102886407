"""What a running subsystem may do: receive, send, request, start jobs and workers, from tasks or from a thread."""
