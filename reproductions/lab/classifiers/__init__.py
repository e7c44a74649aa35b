"""Classifiers that are not Keras models, with scikit-learn's interface: what papers use and scikit-learn lacks."""
