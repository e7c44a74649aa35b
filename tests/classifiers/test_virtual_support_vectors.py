"""Support vectors shifted by a pixel, and the machine that is trained on them."""

import numpy as np
from sklearn.svm import SVC

from reproductions.lab.classifiers.virtual_support_vectors import VirtualSVC, shifted
from reproductions.lab.data import mnist


def test_shifts_are_whole_pixels_with_zeros_from_outside():
    image = np.arange(1, 7).reshape(1, 2, 3)
    np.testing.assert_array_equal(shifted(image, 0, 0), image)
    np.testing.assert_array_equal(shifted(image, 1, 0), [[[0, 0, 0], [1, 2, 3]]])
    np.testing.assert_array_equal(shifted(image, -1, 0), [[[4, 5, 6], [0, 0, 0]]])
    np.testing.assert_array_equal(shifted(image, 0, 1), [[[0, 1, 2], [0, 4, 5]]])
    np.testing.assert_array_equal(shifted(image, 0, -1), [[[2, 3, 0], [5, 6, 0]]])


def test_the_second_machine_sees_only_support_vectors_and_their_shifts():
    data = mnist.subset()
    images, labels = data.train.images[:400].astype(np.float32) / 255, data.train.labels[:400]
    tests = data.test.images.astype(np.float32) / 255
    model = VirtualSVC(degree=3, gamma=2.0, C=10).fit(images, labels)
    flat, flat_tests = (each.reshape(len(each), -1) for each in (images, tests))
    unit, unit_tests = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (flat, flat_tests))
    plain = SVC(kernel="poly", degree=3, gamma=2.0, coef0=1, C=10).fit(unit, labels)
    assert model.machine_.shape_fit_ == (5 * len(plain.support_), 784) and len(plain.support_) < 400
    answers = model.predict(tests), plain.predict(unit_tests)
    virtual, real = ((each != data.test.labels).sum() for each in answers)
    assert virtual < real
