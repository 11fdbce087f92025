"""The hall: the only room that knows all four pure rooms, and is pure itself."""
