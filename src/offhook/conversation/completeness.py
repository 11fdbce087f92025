"""Whether what was said can be the end of a sentence. Lists are data, one per language."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DANGLING: dict[str, frozenset[str]] = {
    "en": _words(
        """and or but so because if that which the a an to of for with from in on at by my your is are was were be i i'm
        it's um uh er erm hmm like well plus then dot until between about than as"""
    ),
    "de": _words(
        """und oder aber weil wenn dass der die das ein eine zu von für mit aus in an auf bei mein ist äh ähm also"""
    ),
    "es": _words("y o pero porque si que el la los las un una de para con en a mi es eh este pues"),
    "fr": _words("et ou mais parce si que le la les un une de pour avec dans à mon est euh ben alors"),
}


def dangling(text: str, language: str = "en") -> bool:
    """Whether the last word of `text` cannot end a sentence: a conjunction, an article, a preposition, a hesitation.

    A language without a list never dangles.
    """
    text = text.rstrip()
    if not text or text.endswith(("?", "!")):
        return False
    if text.endswith((",", "-", "–", "…")):
        return True
    return text.lower().split()[-1].strip(".,;:'\"") in _DANGLING.get(language, frozenset())
