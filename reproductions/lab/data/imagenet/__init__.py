"""ImageNet (ILSVRC-2012): from the official files, or the folders they are extracted to, to shards read at random.

official   what the challenge's files are called and how much they hold
devkit     classes, words, labels of the validation pictures, blacklist
sources    where the pictures lie, in tars or folders: a row a picture
pictures   from a file as it was published to the JPEG that is kept
tfrecords  the format of the shards
shards     one shard, made by one worker
moments    statistics of the training pictures
workers    processes that share the work
plan       what is to be made, and whether there is room for it
prepare    all of it, in order; goes on where it was stopped
manifest   what was made, and whether it still is as it was
records    the prepared pictures as a data set
"""
