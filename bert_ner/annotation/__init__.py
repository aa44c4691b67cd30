"""Annotates texts: code that the command, the demo, the service and a cluster share."""
