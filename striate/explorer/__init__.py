"""The live page of a run: its server, its JSON, and the page itself in `static/`."""
