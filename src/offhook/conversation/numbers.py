"""Numbers as English speakers say them and as recognisers write them: words to numbers and back."""

from collections.abc import Sequence

UNITS = str.split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = str.split("_ _ twenty thirty forty fifty sixty seventy eighty ninety")
_FIRSTS = str.split(
    "_ first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_TENTHS = {20: "twentieth", 30: "thirtieth"}
_VALUES = {word: n for n, word in enumerate(UNITS)} | {word: 10 * n for n, word in enumerate(TENS) if n >= 2}
_DIGITS = {word: str(n) for n, word in enumerate(UNITS[:10])} | {"oh": "0", "o": "0", "nought": "0"}
_MULTIPLES = {"double": 2, "triple": 3, "treble": 3}
_BETWEEN_DIGITS = {"dash", "hyphen", "and", "plus"}
LARGEST = 999_999


def spell(number: int) -> str:
    """A number from 0 to 999,999 in words: "one hundred twenty five"."""
    if number < 20:
        return UNITS[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        head = TENS[tens]
    elif number < 1000:
        hundreds, rest = divmod(number, 100)
        head = f"{UNITS[hundreds]} hundred"
    else:
        thousands, rest = divmod(number, 1000)
        head = f"{spell(thousands)} thousand"
    return f"{head} {spell(rest)}" if rest else head


def number(words: Sequence[str]) -> int | None:
    """The number that exactly these words say, or None: "twenty five" is one, "five twenty" is not."""
    if len(words) == 1 and words[0].isdecimal():
        return int(words[0]) if len(words[0]) <= 6 else None
    for power, value in (("thousand", 1000), ("hundred", 100)):
        if power in words:
            at = list(words).index(power)
            left = 1 if tuple(words[:at]) == ("a",) else number(words[:at])
            rest = words[at + 1 :]
            right = number(rest[1:] if rest and rest[0] == "and" else rest) if rest else 0
            if not left or right is None or right >= value or left >= 1000 or (power == "hundred" and left >= 100):
                return None
            return left * value + right
    if len(words) == 1:
        return _VALUES.get(words[0])
    if len(words) == 2 and words[0] in TENS and words[1] in UNITS[1:10]:
        return _VALUES[words[0]] + _VALUES[words[1]]
    return None


def spell_ordinal(number: int) -> str:
    """A day of the month in words: "twenty first"."""
    if number in _TENTHS:
        return _TENTHS[number]
    return _FIRSTS[number] if number < 20 else f"{TENS[number // 10]} {_FIRSTS[number % 10]}"


_ORDINALS = {spell_ordinal(n): n for n in range(1, 32)}


def ordinal(words: Sequence[str]) -> int | None:
    """The day of the month that exactly these words say as an ordinal: "third", "twenty first", "3rd"."""
    if len(words) == 1 and words[0][:-2].isdecimal() and words[0][-2:] in ("st", "nd", "rd", "th"):
        day = int(words[0][:-2]) if len(words[0]) <= 4 else 0
        return day if 1 <= day <= 31 else None
    return _ORDINALS.get(" ".join(words))


def digits(words: Sequence[str]) -> str | None:
    """The digits that the words dictate one after the other: "four one five", "double five", "fifteen", "415", "oh"."""
    found: list[str] = []
    at = 0
    times = 1
    while at < len(words):
        word = words[at]
        pair = number(words[at : at + 2]) if at + 1 < len(words) and word in TENS else None
        if word in _MULTIPLES and times == 1 and at + 1 < len(words):
            times = _MULTIPLES[word]
        elif times > 1 and word not in _DIGITS and not (word.isdecimal() and len(word) == 1):
            return None
        elif word.isdecimal() or word in _DIGITS:
            found.append(times * (_DIGITS.get(word) or _ascii(word)))
            times = 1
        elif pair is not None:
            found.append(str(pair))
            at += 1
        elif word in _VALUES:
            found.append(str(_VALUES[word]))
        elif word in ("hundred", "thousand") and found:
            found.append("00" if word == "hundred" else "000")
        elif word not in _BETWEEN_DIGITS:
            return None
        at += 1
    return "".join(found) or None


def _ascii(numeral: str) -> str:
    return "".join(str(int(character)) for character in numeral)


def spell_digits(numerals: str) -> str:
    """Digits in words, one by one: "four one five"."""
    return " ".join(UNITS[int(numeral)] for numeral in numerals)
