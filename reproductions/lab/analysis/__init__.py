"""What can be computed without training: model profiles, published tables, the lecture's claims."""
