"""The way in: foreign records become Messages, are queued, committed in groups, and accounted for."""
