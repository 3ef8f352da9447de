"""What models say of ads: the tone of their copy, topics and entities."""
