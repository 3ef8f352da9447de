"""The demonstration: one pass of the whole river through the public doors, compared with the platforms' truth."""
