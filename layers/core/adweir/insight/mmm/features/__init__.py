"""Features of a media-mix table: columns per period and facts per series. Its modules import numpy."""
