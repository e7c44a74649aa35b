"""What papers share: data, training, evaluation, records. Independent of any paper."""
