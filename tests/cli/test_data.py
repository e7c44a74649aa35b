"""The commands `reproduce data status`, `verify` and `prepare`."""

WITHOUT_TENSORFLOW = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None"


def test_status_works_without_tensorflow(new_reproduce, prepared_imagenet, ilsvrc):
    """It lists what is found and what is missing."""
    done = new_reproduce("data", "status", "--data-dir", prepared_imagenet, before=WITHOUT_TENSORFLOW)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["imagenet"].startswith(
        f"found: {prepared_imagenet / 'imagenet-256'}, imagenet-subset of 5 classes, 34 train"
    )
    assert lines["imagenet-originals"].startswith("missing: register at https://image-net.org")
    assert lines["cifar10"].startswith("missing: Keras downloads it")
    assert lines["mnist"].startswith("missing: Keras downloads it")
    assert lines["usps"].startswith("missing: download zip.train.gz and zip.test.gz")
    output = new_reproduce("data", "status", "--data-dir", ilsvrc.folder, before=WITHOUT_TENSORFLOW).stdout
    assert (
        f"the official files are in {ilsvrc.folder}: run `reproduce data prepare imagenet --from {ilsvrc.folder}"
        in output
    )


def test_prepare_and_verify_work_without_tensorflow(new_reproduce, ilsvrc, tmp_path):
    to = tmp_path / "to"
    arguments = "data", "prepare", "imagenet", "--from", ilsvrc.folder, "--to", to, "--workers", "1"
    done = new_reproduce(*arguments, before=WITHOUT_TENSORFLOW)
    assert done.returncode == 0, done.stderr
    assert "train: 35 images of 5 classes" in done.stdout and f"prepared: {to / 'imagenet-256'}" in done.stdout
    assert f"{ilsvrc.wnids[-1]}_3.JPEG is left out because it cannot be decoded" in done.stdout
    done = new_reproduce("data", "verify", to, before=WITHOUT_TENSORFLOW)
    assert (done.returncode, done.stdout) == (0, "all files match their checksums\n")
    (to / "imagenet-256" / "statistics.npz").unlink()
    done = new_reproduce("data", "verify", to)
    assert done.returncode == 1 and "statistics.npz is missing" in done.stdout
    done = new_reproduce("data", "verify", ilsvrc.folder)
    assert done.returncode == 2 and "has no prepared data" in done.stderr
    done = new_reproduce("data", "prepare", "imagenet", "--from", tmp_path / "nowhere", "--to", to)
    assert done.returncode == 2 and "nowhere is not a folder" in done.stderr
