"""Models and runs as plain files: JSON, safetensors and hashes; no pickle is written or read."""
