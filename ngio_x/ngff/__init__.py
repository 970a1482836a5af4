"""On disk: OME-NGFF documents, the files they describe, and every value as JSON."""
