"""The demonstration: the whole pipeline once, through its public entrances, compared with the platforms' truth."""
