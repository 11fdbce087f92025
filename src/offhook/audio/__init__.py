"""Sound as numbers: companding, rates, levels, speech, and what was played."""
