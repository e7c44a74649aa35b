"""ImageNet (ILSVRC-2012), from the official files to shards with random access.

Modules, in the order of the work:

    official          names and sizes of the challenge's files
    devkit            classes, labels of the validation images, blacklist
    sources           listings of the images in tars or folders
    encode            from an image file to the JPEG that is stored
    tfrecord          the file format of the shards
    pixel_statistics  statistics of the training images
    shards            one shard, written by one worker
    parallel          worker processes
    layout            what is to be written: options, splits, shards
    survey            the layout of a source
    checks            whether the source is complete and fits on the disk
    manifest          what was written, and whether the files are unchanged
    prepare           the whole preparation, resumable
    dataset           the prepared images as a data set
"""
