"""From texts to annotations: what the command line, the page, the service and a cluster share."""
