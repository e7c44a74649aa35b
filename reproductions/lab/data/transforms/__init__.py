"""Image transforms, from a stored image to the network's input."""
