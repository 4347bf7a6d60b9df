"""Names and numbers in free text: ``Audio loss: 4.2``, ``loss=4.2``, ``nll_loss 4.2``, ``Step 10/500``."""

import re
from collections.abc import Sequence

from audioloss_cli.naming.tag_words import is_held_out
from audioloss_cli.readers.text.entry import Counter, Entry, Token

NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?"
TIME = r"\d++:\d\d(?::\d\d)?(?:[.,]\d++)?"
_TOKEN = re.compile(
    rf"(?<![\w.])(?:(?P<time>{TIME})|[-+]?\d{{1,3}}+(?:,\d{{3}}){{1,6}}+(?:\.\d++)?|{NUMBER}"
    rf"|[-+]?(?:nan|inf(?:inity)?)|(?P<unit>{NUMBER}[A-Za-z]{{1,12}}+(?:/[A-Za-z]{{1,12}}+)?+))(?![\w]|\.\w|:\d)",
    re.IGNORECASE,
)
_BEFORE_NAN = re.compile(
    r"(?:[=:(\[,'\">]|(?:loss|losses|nll|ce|ppl|norm|acc)(?:_q?\d{1,3}|\s\d{1,12})?)\s*+$", re.IGNORECASE
)
_RANK = re.compile(r"\s*+(?:\[(?:rank|default|rank )(\d{1,5})\]|\[\d{1,5},(\d{1,5})\]<std\w{3}>)", re.IGNORECASE)
_RANK_OF = re.compile(r"[\]\s]\((\d{1,4})/(\d{1,5})\) ")
_MOST_RANKS = 4096
# "Epoch 1 (100/400) " is the place in the epoch.
_COUNTS = re.compile(r"(?<![A-Za-z])(?:epoch|step|iter|iteration|batch|update)s?(?![A-Za-z])", re.IGNORECASE)
_LONGEST_NAME = 96  # of what is printed; longer texts before a number are prose
_LONGEST_OF = 12  # "/" and padding
_LONGEST_NUMBER = 40
_BRACKETS = ("(", "[")
_OF_A_BAR = "%|"  # behind a number that says how far the bar is: "Train:   0%|#   | 5/1200 ["
_MOST_TOKENS = 4000

# What may stand between a name and its number.
_SEPARATOR = re.compile(
    r"['\"]?\s*+(?:=+|:|->|\bis\b)\s*+(?:\[|\(|['\"]|tensor\(\[?|[\w.]{1,20}\()?$"
    r"|\s++tensor\(\[?$"  # as print(loss) leaves it
)
_DELIMITER = re.compile(r"[,;|\[({\])}\t<>]|\s{2,}|\s[-+>]+\s|:\s|\s-$")
_WORD = re.compile(r"[A-Za-z_@%#][\w./@%#*-]*+")
_LEVELS = frozenset(["INFO", "DEBUG", "WARNING", "WARN", "TRAIN", "root", "INFO:", "DEBUG:"])
# Names that need no separator: "loss 4.2 acc 0.1", "| ppl 900 |".
_METRICS = frozenset(
    [
        "loss",
        "acc",
        "accuracy",
        "ppl",
        "perplexity",
        "lr",
        "grad_norm",
        "gnorm",
        "nll",
        "ce",
        "wer",
        "cer",
        "wps",
        "ups",
        "bsz",
    ]
)
# And names that hold one of these: "ce_q1 4.1", "audio_ce 4.1".
_METRIC_PARTS = frozenset({"ce", "nll", "ppl"})
_COUNTERS = {
    "step": "step",
    "steps": "steps",
    "global_step": "global_step",
    "globalstep": "global_step",
    "train_step": "train_step",
    "iteration": "iteration",
    "iter": "iter",
    "iters": "iter",
    "it": "iter",
    "update": "update",
    "updates": "num_updates",
    "num_updates": "num_updates",
    "batch": "batch",
    "batch_idx": "batch",
    "epoch": "epoch",
}
_COUNTER = re.compile(r"(?<![A-Za-z0-9])([A-Za-z_/]{2,24})\)?['\"]?\s*+[:=#]?\s*+[\[(]?\s*+$")
_TOTAL = re.compile(r"\s*+(?:/|of)\s*+")
_SOURCE = re.compile(r"\.(?:py|cc|cpp|cu|c|h|go|rs|js)$")
_HELD_OUT_WORD = "valid|validation|val|eval|evaluation|evaluating|validating|test|testing|dev|cv"
_SECTION = re.compile(
    rf"(?<![\w./\\-])(?:({_HELD_OUT_WORD})|(train|training))\s*+(?:[\])|:]|\s(?:step|epoch|iter|batch|results?|set)\b)",
    re.IGNORECASE,
)
_HEADING = re.compile(r"(\b[A-Za-z_]{0,24}loss(?:es)?)(?:\s*+:|(?<=es)\s-)\s++(?=\S)", re.IGNORECASE)
_GROUP = re.compile(r"(\w+)\[\s*+\w+\s*+[=:]\s*+$")
# What a loss is made of, where it stands in brackets or under a heading: "Loss: 9.1 (text: 2.1, audio: 7.0)".
_PARTS = re.compile(r"text|audio|speech|semantic|acoustic|codec|(?:c|q|cb|codebook_?)\d{1,2}", re.IGNORECASE)
_NOT_NAMES = frozenset({"cuda", "rank", "device", "local_rank", "port", "pid", "line"})


def tokens_of(line: str, start: int = 0, end: int | None = None) -> list[Token]:
    """Return the numbers and the times of a part of a line, at most 4000."""
    found = list[Token]()
    for match in _TOKEN.finditer(line, start, len(line) if end is None else end):
        if (
            match.lastgroup is None
            and match[0][-1] in "nNfFyY"
            and not _BEFORE_NAN.search(line, max(0, match.start() - 24), match.start())
        ):
            continue  # "number of nan iterations"
        is_number = match.lastgroup is None and match.end() - match.start() <= _LONGEST_NUMBER
        found.append(Token(match.start(), match.end(), is_number))
        if len(found) == _MOST_TOKENS:
            break
    return found


def rank_of(line: str) -> tuple[int, int]:
    """Return the rank that a line names, and where the text behind its prefix starts."""
    if (prefix := _RANK.match(line)) is not None:
        return int(prefix[1] or prefix[2]), prefix.end()
    inside = _rank_inside(line)
    return (0 if inside is None else int(inside[1])), 0


def _rank_inside(line: str) -> "re.Match[str] | None":
    """The rank behind a prefix of another kind, ``[train.py:903] (0/4) ``."""
    match = _RANK_OF.search(line[:200])
    if match is None or not int(match[1]) < int(match[2]) <= _MOST_RANKS or _COUNTS.search(line, 0, match.start()):
        return None
    return match


def read_pairs(line: str, entry: Entry, start: int = 0, end: int | None = None) -> Entry:
    """Add to an entry the pairs and counters of a part of a line."""
    first = len(entry.tokens)
    found = tokens_of(line, start, end)
    entry.tokens = [*entry.tokens, *found]
    _Pairs(line, start, found, entry, first).run()
    if not start and (inside := _rank_inside(line)) is not None:
        # Lines of another rank are lines of another kind.
        taken = {each.token for each in entry.counters} | {index for _, index in entry.numbers}
        own = {index for index, token in enumerate(entry.tokens) if token.start == inside.start(1)}
        entry.parts_of_names |= own - taken
    return entry


class _Pairs:
    """Goes through the numbers of a line once; the text between two of them says what the second is."""

    def __init__(self, line: str, start: int, tokens: Sequence[Token], entry: Entry, first: int) -> None:
        self.line, self.start, self.tokens, self.entry, self.first = line, start, tokens, entry, first
        self.heading = self.group = ""
        self.loss = self.whole = ""  # the loss right before this text, and the one whose parts are in these brackets
        self.section: bool | None = None
        self.skip = -1  # a token that was taken together with the one before: as its total, or as the value it counts
        self.word = ""  # before a whole number without a name: "Codebook" in "Codebook 3 loss: 4.2"

    def run(self) -> None:
        before = self.start
        for index, token in enumerate(self.tokens):
            gap = self.line[before : token.start]
            self._look_around(gap)
            if token.is_number and index != self.skip:
                self._take(index, token, gap)
            before = token.end
        self._look_around(self.line[before : before + _LONGEST_NAME])

    def _look_around(self, gap: str) -> None:
        """Headings, groups and brackets that begin or end in this text, and whether it is about held-out data."""
        if self.loss and gap.lstrip(" ")[:1] in _BRACKETS:
            self.whole = self.loss
        elif self.whole and (")" in gap or "]" in gap):
            self.whole = ""
        self.loss = ""
        if self.group and "]" in gap:
            self.group = ""
        if self.heading and ("|" in gap or ";" in gap):
            self.heading = ""
        short = gap[-_LONGEST_NAME:]
        for match in _SECTION.finditer(short):
            self.section = bool(match[1])
        if (heading := _HEADING.search(short)) is not None:
            self.heading = heading[1]
        if (group := _GROUP.search(short)) is not None:
            self.group = group[1]

    def _take(self, index: int, token: Token, gap: str) -> None:
        if self.line.startswith(_OF_A_BAR, token.end):
            self.word = ""
            return
        short = gap[-_LONGEST_NAME:]
        total = self._total(index)
        name, separated = _name(short)
        if self._count(index, short, total):
            return
        is_whole = self.line[token.start : token.end].isdigit()
        if is_whole and not separated and self._count_behind(name, index):
            return
        if separated and self.word and (not name or (gap[:1] == " " and gap[1:2].isalpha())):
            name = f"{self.word} {self._text(index - 1)} {name}".rstrip()
            self.entry.parts_of_names.add(self.first + index - 1)
        self.word = ""
        if name and (separated or _is_metric(name) or self._is_part(name, index)):
            self._add(name, index)
        elif is_whole and (word := _last_word(short)) and word.lower() not in _COUNTERS:
            self.word = word

    def _is_part(self, name: str, index: int) -> bool:
        is_share = self.line.startswith("%", self.tokens[index].end)
        return bool(self.whole or self.heading) and not is_share and _PARTS.fullmatch(name) is not None

    def _text(self, index: int) -> str:
        return self.line[self.tokens[index].start : self.tokens[index].end]

    def _total(self, index: int) -> int | None:
        """The token behind ``10/500`` or ``10 of 500``."""
        after = index + 1
        if after < len(self.tokens) and self.tokens[after].is_number and self.tokens[index].is_number:
            between = self.line[self.tokens[index].end : self.tokens[after].start]
            if len(between) < _LONGEST_OF and _TOTAL.fullmatch(between):
                return after
        return None

    def _count(self, index: int, gap: str, total: int | None) -> bool:
        """Take the number as a counter, if it is one."""
        if self.line[self.tokens[index].start] in "-+.nNiI":
            return False
        match = _COUNTER.search(gap)
        name = _COUNTERS.get(match[1].rpartition("/")[2].lower()) if match else None
        counters = self.entry.counters
        if name is None and total is not None:
            end = self.line[self.tokens[total].end : self.tokens[total].end + 3]
            is_bar = gap.strip()[-1:] in ("|", "") and end.startswith(" [")
            if counters and counters[-1].name == "epoch":
                name = "place"
            elif is_bar:
                name = "bar"
            self.entry.is_bar |= is_bar
        if name is None:
            return False
        at = self.first + index
        counters.append(Counter(name, at, None if total is None else self.first + total))
        self.skip = -1 if total is None else total
        self.word = ""
        return True

    def _count_behind(self, name: str, index: int) -> bool:
        """Take a whole number between the name of a loss and its value as a counter: ``Train loss 20 3.19``."""
        after = index + 1
        if "loss" not in name.lower() or self.entry.counters or after == len(self.tokens):
            return False
        between = self.line[self.tokens[index].end : self.tokens[after].start]
        value = self._text(after)
        is_value = self.tokens[after].is_number and not value.isdigit() and between in (" ", ": ")
        if not is_value or self.line.count(f"{name} ") > 1:
            return False  # "Loss 0: 2.5, Loss 1: 3.5"
        self.entry.counters.append(Counter("iteration", self.first + index))
        self.skip = after
        self._add(name, after)
        return True

    def _add(self, name: str, index: int) -> None:
        if _SOURCE.search(name) or name.lower() in _NOT_NAMES:
            return
        tag = name
        if self.group:
            tag = f"{self.group}/{name}"
        elif self._is_part(name, index):
            tag = f"{self.whole or self.heading}/{name}"
        elif self.heading and "loss" not in name.lower() and "/" not in name and self.heading != name:
            tag = f"{self.heading}/{name}" if name[0].isupper() == self.heading[0].isupper() else name
        if self.section is not None and self.section != is_held_out(tag):
            tag = f"{'eval' if self.section else 'train'}/{tag}" if self.section else tag
        self.entry.held_out |= bool(self.section)
        self.entry.numbers.append((tag, self.first + index))
        if not self.whole and "loss" in name.lower():
            self.loss = name


def _name(gap: str) -> tuple[str, bool]:
    """The name that ends the text before a number, and whether a separator follows it."""
    separator = _SEPARATOR.search(gap)
    text = gap[: separator.start()] if separator else gap
    text = _DELIMITER.split(text.rstrip())[-1]
    words = list[str]()
    for word in reversed(text.split(" ")[-6:]):
        _, colon, behind = word.rpartition(":")  # "postfix:loss=4.2"
        if colon and _WORD.fullmatch(behind):
            words.insert(0, behind)
            break
        if not _WORD.fullmatch(word):
            break
        words.insert(0, word)
    while words and words[0] in _LEVELS:
        del words[0]
    return " ".join(words), separator is not None


def _is_metric(name: str) -> bool:
    """Whether a name is that of a value though nothing but a space parts the two."""
    name = name.lower()
    last = name.rpartition(" ")[2]
    return last in _METRICS or "loss" in name or not _METRIC_PARTS.isdisjoint(last.split("_"))


def _last_word(gap: str) -> str:
    """The word right before a number: ``Codebook`` in ``Codebook 3``."""
    words = gap.split(" ")
    last = words[-2].lstrip("[(|") if len(words) > 1 and not words[-1] else ""
    return last if _WORD.fullmatch(last) else ""
