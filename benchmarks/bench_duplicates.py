"""Near-duplicates among exam questions: exact, by rensa, and by plain sets of strings.

`python benchmarks/bench_duplicates.py` makes Chinese and English questions with options, a twelfth
of them near-duplicates of others, and compares 10,000 of them in a process each, and 60,000 without
plain sets, which take minutes. It prints the processor time and the memory that the comparison
adds, as ratios to the last way, and how many of the exact pairs rensa proposes too. It exits with 1
if the exact comparison of 60,000 takes 20 s of processor time, the groups differ from the plain
ones, or rensa misses more than one pair in 200 or finds another.
"""

import math
import random
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import accumulate, pairwise

from dianjin_ext.questions import duplicates
from dianjin_ext.questions.duplicates import near_duplicates, normalize

SIZE, SMALL = 60_000, 10_000
TARGET_SECONDS = 20
TARGET_RECALL = 0.995
THRESHOLD = 0.7

ASKS = """
下列说法正确的是 下列说法错误的是 应当确认的金额为 不属于其特征的是 应当采用的方法是 主要的风险是
应缴纳的税费是 对当期利润的影响是 监管要求不包括 会计处理正确的是 根据上述资料 不考虑其他因素
"""
WORDS = 20_000
SYLLABLES = """
ac al an ban be cap ca co cor cre de den di div e eq est ex fi fund ga gro in inv li lo ma mar mo
net op or pa por pre pro ra re ri sec sha sto sub ta ter ti val ve
"""


class Language:
    """Words made at random, of which few are frequent, as Zipf has it."""

    def __init__(self, words: list[str], blank: str) -> None:
        self._words, self._blank = words, blank
        self._weights = list(accumulate(1 / (rank + 5) for rank in range(len(words))))

    def say(self, draw: random.Random, least: int, most: int) -> str:
        """Return between `least` and `most` words."""
        count = draw.randint(least, most)
        return self._blank.join(draw.choices(self._words, cum_weights=self._weights, k=count))


def questions(size: int, seed: int = 0) -> list[str]:
    """Return texts of a question and its options, as long and as varied as those of exam banks."""
    draw = random.Random(seed)
    # Han characters in the order of the code are as good as any; 1,500 make most of a text.
    han = [chr(code) for code in draw.sample(range(0x4E00, 0x9FA5), 1500)]
    chinese = Language(["".join(draw.choices(han, k=2)) for _ in range(WORDS)], "")
    english = Language(["".join(draw.choices(SYLLABLES.split(), k=3)) for _ in range(WORDS)], " ")
    made: list[str] = []
    while len(made) < size:
        if made and draw.random() < 1 / 12:
            made.append(changed(draw.choice(made), draw))
            continue
        language, ask = (
            (chinese, draw.choice(ASKS.split())) if draw.random() < 0.8 else (english, "In")
        )
        stem = f"{language.say(draw, 6, 25)}，{ask}{draw.randint(1995, 2024)}（　）。"
        made.append("\n".join([stem, *sorted(language.say(draw, 1, 6) for _ in range(4))]))
    draw.shuffle(made)
    return made


def changed(text: str, draw: random.Random) -> str:
    """Change one to twelve characters, so that some copies stay above the threshold."""
    characters = list(text)
    for _ in range(draw.randint(1, 12)):
        characters[draw.randrange(len(characters))] = draw.choice("的了是在abc12")
    return "".join(characters)


def plain(texts: list[str]) -> list[list[int]]:
    """Filter by prefixes of sets of strings."""
    sets = []
    for text in map(normalize, texts):
        sets.append(frozenset(text[i : i + 4] for i in range(max(1, len(text) - 3))))
    frequency = Counter(token for tokens in sets for token in tokens)
    parent = list(range(len(texts)))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    seen: defaultdict[str, list[int]] = defaultdict(list)
    for position, tokens in enumerate(sets):
        rarest = sorted(tokens, key=lambda token: (frequency[token], token))
        prefix = rarest[: len(tokens) - math.ceil(THRESHOLD * len(tokens) - 1e-9) + 1]
        for other in {other for token in prefix for other in seen[token]}:
            shared = len(tokens & sets[other])
            if shared >= THRESHOLD * (len(tokens) + len(sets[other]) - shared) - 1e-9:
                parent[root(position)] = root(other)
        for token in prefix:
            seen[token].append(position)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for position in range(len(texts)):
        groups[root(position)].append(position)
    return list(groups.values())


def rensa(texts: list[str]) -> list[list[int]]:
    duplicates.EXACT_LIMIT = 0
    return near_duplicates(texts, THRESHOLD)


WAYS: dict[str, Callable[[list[str]], list[list[int]]]] = {
    "exact": near_duplicates,
    "rensa": rensa,
    "plain": plain,
}


def measure(way: str, size: int) -> None:
    """Print seconds, mebibytes and the groups of two or more, for the parent to read."""
    texts = questions(size)
    near_duplicates(texts[:10])  # imports numpy
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    groups = WAYS[way](texts)
    seconds = time.process_time() - start
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    for group in groups:
        if len(group) > 1:
            print(*group)


def run(way: str, size: int) -> tuple[float, float, set[tuple[int, ...]]]:
    command = [sys.executable, __file__, way, str(size)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    first, *groups = out.splitlines()
    seconds, memory = map(float, first.split())
    return seconds, memory, {tuple(sorted(map(int, line.split()))) for line in groups}


def compare(size: int, ways: list[str]) -> tuple[bool, float]:
    """Print what each way takes; return whether all found the same, and the seconds of exact."""
    results = {way: run(way, size) for way in ways}
    base_seconds, base_memory, truth = results[ways[-1]]
    print(f"{size:,} texts, threshold {THRESHOLD}")
    of = f"of {ways[-1]}"
    print(f"{'':<8}{'groups':>8}{'CPU s':>8}{of:>10}{'MiB':>8}{of:>10}")
    for way, (seconds, memory, groups) in results.items():
        print(
            f"{way:<8}{len(groups):>8,}{seconds:>8.1f}{seconds / base_seconds:>10.2f}"
            f"{memory:>8.0f}{memory / base_memory:>10.2f}"
        )
    wanted = {pair for group in truth for pair in pairwise(group)}
    together = {p: i for i, group in enumerate(results["rensa"][2]) for p in group}
    found = sum(together.get(a, -1) == together.get(b, -2) for a, b in wanted)
    exact = {p: i for i, group in enumerate(results["exact"][2]) for p in group}
    wrong = sum(len({exact.get(p, -p) for p in group}) > 1 for group in results["rensa"][2])
    recall = found / len(wanted)
    print(f"rensa: {recall:.4f} of {len(wanted):,} neighbours in groups, {wrong} wrong groups")
    same = results["exact"][2] == truth
    return same and recall >= TARGET_RECALL and not wrong, results["exact"][0]


def main() -> int:
    same, _ = compare(SMALL, ["rensa", "exact", "plain"])
    close, seconds = compare(SIZE, ["rensa", "exact"])
    print(f"exact: target below {TARGET_SECONDS} s")
    return 0 if same and close and seconds < TARGET_SECONDS else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        sys.exit(main())
