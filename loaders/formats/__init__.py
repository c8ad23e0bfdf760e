"""The forms in which records come: one file per form, each a stream of lines with a position to go on from."""
