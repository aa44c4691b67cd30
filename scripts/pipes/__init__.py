"""Code that travels inside the packaged pipeline: registered functions, one file each."""
