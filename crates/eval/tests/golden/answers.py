"""Writes answers.json.gz, rouge.json.gz and stems.txt.gz: scores of 2,000 answers by SQuAD 2.0's rules, ROUGE-L and
ROUGE-Lsum of 2,000 summaries, and the stems of 5,000 words.
Run with Python 3.11 (from 3.12 on, sum() of floats rounds otherwise):
python answers.py ../../../../data/minilm/tokenizer.json, after pip install 'transformers<5' rouge-score"""

import contextlib
import gzip
import json
import random
import string
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from transformers.data.metrics.squad_metrics import squad_evaluate

HERE = Path(__file__).parent
CASES, WORDS = 2000, 5000
ODD = """the The THE a an An A\u0301 the² _the_ the-end U.S. U.S.-led 3.5% “quoted” – … ½ Straße STRASSE İstanbul
ΣΊΣΥΦΟΣ été cafe\u0301 東京 новости 👩‍🚀 🎉 กรุงเทพ ก็ที่ שלום مرحبا हिन्दी Ⓐ ⅷ x\u00a0y x\u200by ﬁne a\u0300 ǅ a' 'an' (a) th\u0335e
'' -- ! . ,""".split()


def write(name, value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    with gzip.GzipFile(HERE / name, "wb", 9, mtime=0) as file:
        file.write(text.encode())


def phrase(rng, words, most):
    chosen = [rng.choice(ODD if rng.random() < 0.2 else words) for _ in range(rng.randint(0, most))]
    text = ""
    for word in chosen:
        word = rng.choice([word, word, word.capitalize(), word.upper(), word + rng.choice(".,;:!?'\")")])
        text += word + rng.choice([" ", " ", " ", "  ", "\t", "\n", "\u00a0", "\x1c", "-", "\x1d"])
    return text if rng.random() < 0.5 else text.strip()


def near(rng, text, words):
    """The text with some words left out, changed or moved."""
    parts = text.split(" ")
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(parts))
        parts[at] = rng.choice(["", rng.choice(words), parts[at].upper(), parts[rng.randrange(len(parts))]])
    return " ".join(parts)


def answers(rng, words):
    few = rng.sample(words, 60)
    examples, predictions, unlikely = [], {}, {}
    for i in range(CASES):
        golds = [phrase(rng, few, 6) for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))]
        kind = rng.random()
        found = "" if kind < 0.15 else near(rng, rng.choice(golds), few) if golds and kind < 0.7 else phrase(rng, few, 6)
        examples.append(SimpleNamespace(qas_id=i, answers=[{"text": gold} for gold in golds]))
        predictions[i] = found
        unlikely[i] = rng.randint(0, 100) / 100  # many are equal: their order counts
    def evaluate(start, end, threshold):
        part = {i: predictions[i] for i in range(start, end)}
        return squad_evaluate(examples[start:end], part, {i: unlikely[i] for i in part}, threshold)
    cases = []
    for i, example in enumerate(examples):
        one = evaluate(i, i + 1, 1.0)
        golds = [answer["text"] for answer in example.answers]
        cases.append([predictions[i], golds, unlikely[i], one["exact"], one["f1"]])
    parts = [(0, CASES, 1.0), (0, CASES, 0.5), (100, 150, 0.3), (7, 12, 0.9)]
    parts = [[*part, evaluate(*part)] for part in parts]
    return {"transformers": version("transformers"), "cases": cases, "parts": parts}


def rouge(rng, words):
    scorer = RougeScorer(["rougeL", "rougeLsum"], use_stemmer=True)
    few = rng.sample(words, 80)
    cases = []
    for _ in range(CASES):
        references = ["".join(phrase(rng, few, 8) + rng.choice(["\n", "\n\n", " "]) for _ in range(rng.randint(0, 3)))
                      for _ in range(rng.choice([1, 1, 1, 2]))]
        text = near(rng, references[0], few) if rng.random() < 0.8 else phrase(rng, few, 12)
        if rng.random() < 0.5:  # where both measures differ: lines in another order
            lines = text.split("\n")
            text = "\n".join(rng.sample(lines, len(lines)))
        scores = scorer.score_multi(references, text)
        cases.append([text, references, list(scores["rougeL"]), list(scores["rougeLsum"])])
    return {"rouge-score": version("rouge-score"), "cases": cases}


def stems(rng, words):
    endings = """s es ies ied ed eed ing ational tional enci anci izer bli abli alli entli eli ousli ization ation ator alism
        iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able
        ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll le y yy""".split()
    made = {rng.choice(words)[: rng.randint(1, 6)] + rng.choice(endings) for _ in range(2500)}
    made |= {"".join(rng.choice("aeiouyybcdlst01") for _ in range(rng.randint(1, 8))) for _ in range(600)}
    made |= set(PorterStemmer().pool) | {"died", "spied", "dies", "flies", "enjoy", "happy", "sky", "y", "yy", "feed"}
    chosen = sorted(made) + rng.sample(sorted(set(words) - made), WORDS - len(made))
    stemmer = PorterStemmer()
    return "".join(f"{word} {stemmer.stem(word)}\n" for word in chosen)


def main():
    vocabulary = json.loads(Path(sys.argv[1]).read_text())["model"]["vocab"]
    letters = set(string.ascii_lowercase)
    words = sorted(word for word in vocabulary if len(word) > 2 and set(word) <= letters)
    with contextlib.redirect_stdout(sys.stderr):
        write("answers.json.gz", answers(random.Random(1), words))
        write("rouge.json.gz", rouge(random.Random(2), words))
    write("stems.txt.gz", stems(random.Random(3), words))


if __name__ == "__main__":
    main()
