"""What people say whole on the telephone, though by its words more might follow. English; data."""

_SAYINGS = """
    thank you, thank you very much, thank you so much, thanks a lot, excuse me, i'm sorry, never mind, forget it,
    that's fine, that's right, that's correct, that's it, that's all, that's good, that's great, that's okay, that's
    true, that's perfect, that's wrong, that's enough, that's me, that is correct, that is right, that is all, that
    works, that will be all, that would be great, sounds good, sounds great, fair enough, very good, very well, all
    right, no problem, i don't know, i do not know, i know, i see, i understand, i'm not sure, not sure, i think so,
    i hope so, i guess so, i don't think so, of course, of course not, not really, not yet, not now, not at all, no
    way, me too, me neither, yes it is, yes i do, yes i am, yes i have, yes i did, no it isn't, no i don't, no i'm
    not, no i haven't, no i didn't, it is, it isn't, i do, i don't, i am, i did, i have, got it, i got it, go ahead,
    go on, one more time, once more, how are you, how are you doing, how much, how many, how much is it, how much is
    that, how much does it cost, how long, what time, what time is it, what's that, what is that, what do you mean,
    what did you say, what was that, say that again, can you repeat that, could you repeat that, can you say that
    again, could you say that again, who is this, who's this, who are you, are you there, are you still there, can
    you hear me, is anybody there, what else, anything else, nothing else, good morning, good afternoon, good
    evening, good night, see you, nice to meet you, have a nice day, have a good day, start over, start again, speak
    up
"""
SAYINGS = frozenset(" ".join(saying.split()) for saying in _SAYINGS.split(","))
