"""`offhook score`: the measure of who speaks when, by scripted calls in virtual time.

corpus -> recipes -> families (what is said) -> bench (one call) -> measures -> table, html

Nothing here knows how an agent takes turns: what it does is read at the caller's ear and mouth, from what it hands to
its transcriber, and from what it makes known; what is right is known from the recordings' labels.
"""
