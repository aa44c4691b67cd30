"""The demo: a page to try pipelines on."""
