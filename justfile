# Builds bottlec for this machine, as it is published, and packs it: see dist/dist.py and docs/releasing.md.
dist *arguments:
    python3 dist/dist.py {{arguments}}
