"""The platforms' wire protocols over the world, one module a platform (platform-protocols, sections 2 and 3)."""
