"""Readers of file formats, each with `read(path) -> dict[str, np.ndarray]`: tensors by their names in the file.

They read arrays, never code; they check sizes before they allocate memory; and they raise `UsageError` or `ValueError`.
"""
