"""Published weights: file formats, presets of what fits where, and networks that are made of them.

file -> `tensor_file.read` -> `matching.match`, which follows a preset -> network -> `imported` file
"""
